"""The one error that ends a run with a message for a person."""


class Failure(Exception):
    """A run cannot go on; the text says why and what to do."""
