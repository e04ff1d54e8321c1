"""Writes what a run found, for a page and for a terminal."""

import time

HEAD = """\
# Performance

Havre beside other registries and beside nginx, which serves the same bytes from files and so shows what the machine
can do. All of them ran on one machine in one run, on the same bytes, taking turns. Each figure is the median of the
rounds, with the least and the greatest in brackets; behind it, how many times {subject}'s it is. ↓ marks what should be
small, ↑ what should be great. Absolute figures wander with the machine: the ratios are what to look at, and processor
time per unit of work is steadier than wall time. The client runs on the same cores.

This page is written by `just bench`. Every server gets a fresh directory on one file system, writes pushes
through to the disk (fsync) before it acknowledges them, and has its access log {access_log}; none is tied to certain
cores. What does not depend on the server, such as hashing and writing alone, is measured beside them.
"""


WHY = """\
Why some are missed, where they are:

- *Pull against distribution.* On one machine the client's share of copying through loopback is charged to either side,
  and distribution 3 costs about a third less here than when the target was set. nginx itself stays below 4 ×.
- *Pull against nginx* and *requests per second against distribution* lie on either side of their targets from run to
  run: the load generator has half of the machine, and processor time per request is the steadier figure.
- *Streamed push* does what a monolithic one does, and besides: the answer to the PATCH acknowledges its bytes, so that
  it waits until all of them are hashed and written, and it takes and lets go of the session in two more commits. That,
  one more round trip, and a body in chunks that have to be taken apart are all there is between the two; the rounds of
  either lie further apart than that.
- *Beside the removal of dead blobs.* The sweeper goes in short transactions, but every one of them is a durable commit
  and its work takes part of two cores that the server, the database and the client share; it is made to work without
  a pause here.
- *zot and zb* need modules that could not be had where this was measured.
"""


def page(context, sections, verdicts):
    """The whole page in Markdown."""
    parts = [HEAD.format(access_log="on" if context.access_log else "off", subject=context.subject), _facts(context)]
    if verdicts:
        parts.append("## Targets\n\n" + _targets(verdicts) + "\n" + WHY)
    parts.extend(_section(section, context.subject) for section in sections)
    return "\n".join(parts)


def terminal(sections, verdicts, subject):
    """The same figures without the explanations, aligned for a terminal."""
    parts = []
    for section in sections:
        parts.append(f"== {section.title}")
        parts.append(_aligned(_rows(section, subject)) if section.samples else "")
        parts.extend(section.notes)
    if verdicts:
        rows = [["target", "", "seen", ""]]
        rows += [[one.work, one.target, one.seen, one.outcome.replace("*", "")] for one in verdicts]
        parts += ["== Targets", _aligned(rows)]
    return "\n".join(parts) + "\n"


def _facts(context):
    lines = [
        f"- Machine: {context.machine}",
        f"- Commit: {context.commit}",
        f"- Date: {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}",
        f"- Rounds: {context.rounds}" + (" (a quick run, for developers: too short to be quoted)"
                                         if context.quick else ""),
    ]
    lines += [f"- Left out: {name}, {reason}" for name, reason in context.absent.items()]
    versions = [["server", "version", "configuration"]]
    versions += [[peer.title, peer.version(), peer.settings()] for peer in context.peers]
    return "\n".join(lines) + "\n\n" + _markdown(versions)


def _targets(verdicts):
    rows = [["work", "target", "seen", "outcome"]]
    rows += [[one.work, one.target, one.seen, one.outcome] for one in verdicts]
    return _markdown(rows)


def _section(section, subject):
    text = f"## {section.title}\n\n{section.text}\n"
    if section.samples:
        text += "\n" + _markdown(_rows(section, subject))
    for note in dict.fromkeys(section.notes):
        text += f"\n{note}\n"
    return text


def _rows(section, subject):
    """A row per metric, a column per peer; behind each other peer's figure, how it compares with the subject's."""
    peers = section.peers()
    rows = [["", *peers]]
    for metric in section.metrics:
        rows.append([metric.heading(), *(_cell(section, metric, peer, subject) for peer in peers)])
    return rows


def _cell(section, metric, peer, subject):
    text = section.cell(metric, peer)
    mine, other = section.median(metric.key, subject), section.median(metric.key, peer)
    if peer == subject or not mine or not other:
        return text
    return f"{text} · {other / mine:.2f} ×"


def _markdown(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"


def _aligned(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows) + "\n"
