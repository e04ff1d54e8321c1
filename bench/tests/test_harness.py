"""Tests of what the harness computes; no server is started."""

import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True

from harness import report, zb_output
from harness.failure import Failure
from harness.process import Process
from harness.results import Metric, Section
from harness.run import turned
from harness.targets import Judge

ZB = """\
Registry URL:      http://127.0.0.1:1
============
Test name:            Push Monolith 1MB
Time taken for tests: 1.5s
Complete requests:    100
Failed requests:      0
Requests per second:  66.7

2xx responses: 100

min: 11.1ms
p99: 26.375356ms
============
Test name:            Pull Mixed 20% 1MB, 70% 10MB, 10% 100MB
Requests per second:  7.5
Failed requests:      2
1MB:    20
p99: 1m2.5s
"""


def section_with(samples):
    """A pull section with samples of `cpu`."""
    section = Section("pull", "Pull", "", [Metric("cpu", "CPU", "s/GB"), Metric("rate", "rate", "MB/s", 0, False)])
    for peer, values in samples.items():
        for value in values:
            section.add("cpu", peer, value)
    return section


class ZbOutput(unittest.TestCase):
    """The output of zb."""

    def test_tests_are_read_in_order(self):
        first, second = zb_output.parse(ZB)
        self.assertEqual((first["name"], first["rate"], first["failed"]), ("Push Monolith 1MB", 66.7, 0))
        self.assertAlmostEqual(first["p99"], 0.026375356)
        self.assertEqual(second["failed"], 2)
        self.assertAlmostEqual(second["p99"], 62.5)

    def test_other_text_is_refused(self):
        for text in ("", "panic: something", ZB.replace("p99", "p98")):
            with self.assertRaises(Failure):
                zb_output.parse(text)

    def test_durations(self):
        for text, seconds in (("855.045µs", 855.045e-6), ("1h0m1s", 3601), ("2ms", 0.002), ("12ns", 12e-9)):
            self.assertAlmostEqual(zb_output.seconds(text), seconds)
        with self.assertRaises(Failure):
            zb_output.seconds("soon")


class Turns(unittest.TestCase):
    """The order of peers."""

    def test_each_round_begins_with_another(self):
        self.assertEqual([turned([1, 2, 3], number) for number in range(4)],
                         [[1, 2, 3], [2, 3, 1], [3, 1, 2], [1, 2, 3]])
        self.assertEqual(turned([], 5), [])


class Targets(unittest.TestCase):
    """What is said of the targets."""

    def test_met_missed_and_not_measured(self):
        section = section_with({"havre": [0.15, 0.1, 9], "nginx": [0.1], "distribution": [0.75]})
        verdicts = Judge({"pull": section}, "havre").verdicts()
        self.assertEqual([one.outcome for one in verdicts[:3]], ["missed: 25% above 1.20 ×", "**met**", "not measured"])
        self.assertEqual([one.seen for one in verdicts[:3]], ["1.50 ×", "5.00 ×", "–"])

    def test_previous_line_stands_in_for_the_current(self):
        section = section_with({"havre": [0.1], "distribution2": [0.3]})
        verdict = Judge({"pull": section}, "havre").verdicts()[1]
        self.assertEqual(verdict.target, "≥ 4 × less than distribution2")
        self.assertEqual(verdict.outcome, "missed: 25% below 4.00 ×")


class Tables(unittest.TestCase):
    """The page's tables."""

    def test_cells_show_median_range_and_ratio(self):
        section = section_with({"havre": [1, 2, 4], "nginx": [1]})
        text = report.terminal([section], [], "havre")
        self.assertIn("CPU, s/GB ↓   2.00 (1.00–4.00)  1.00 · 0.50 ×", text)
        self.assertIn("rate, MB/s ↑  n/a", text)


class Processes(unittest.TestCase):
    """What is read from /proc."""

    def test_children_count(self):
        burn = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\ntime.sleep(30)"
        process = Process(["sh", "-c", f"{sys.executable} -c '{burn}' & wait"], os.devnull)
        try:
            for _ in range(500):
                if process.cpu_seconds() >= 0.2:
                    break
                time.sleep(0.02)
            self.assertEqual(len(process.pids()), 2)
            self.assertGreaterEqual(process.cpu_seconds(), 0.2)
            self.assertGreater(process.resident_bytes(), 1 << 20)
        finally:
            os.killpg(process.pid, 9)
            process.stop()


if __name__ == "__main__":
    unittest.main()
