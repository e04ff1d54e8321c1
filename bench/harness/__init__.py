"""Runs registries side by side on the same bytes and compares what their work costs."""
