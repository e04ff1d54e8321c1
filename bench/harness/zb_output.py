"""Reads what zot's load generator prints."""

import re

from .failure import Failure

_FIELD = re.compile(r"^([A-Za-z0-9 ]+):\s+(\S.*)$")
_DURATION = re.compile(r"([0-9.]+)(h|m(?!s)|s|ms|µs|μs|us|ns)")
_SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "µs": 1e-6, "μs": 1e-6, "us": 1e-6, "ns": 1e-9}


def parse(output):
    """The tests in order: a dictionary each with `name`, `failed`, `rate` (per second) and `p99` (seconds)."""
    tests = []
    for line in output.splitlines():
        match = _FIELD.match(line.strip())
        if not match:
            continue
        key, value = match.groups()
        if key == "Test name":
            tests.append({"name": value})
        elif tests:
            _take(tests[-1], key, value)
    incomplete = [test["name"] for test in tests if not {"failed", "rate", "p99"} <= test.keys()]
    if not tests or incomplete:
        raise Failure(f"zb printed something else than expected ({incomplete or 'no test'}):\n{output[-2000:]}")
    return tests


def _take(test, key, value):
    if key == "Failed requests":
        test["failed"] = int(value)
    elif key == "Requests per second":
        test["rate"] = float(value)
    elif key == "p99":
        test["p99"] = seconds(value)


def seconds(text):
    """A duration as Go prints it, such as `1m2.5s` or `855.045µs`, in seconds."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise Failure(f"{text!r} is not a duration")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
