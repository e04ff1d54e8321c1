"""Tests of what the harness computes; no server is started."""

import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True

from harness import machine, report, zb_output
from harness.measures import gc, lists
from harness.paths import BENCH, PROJECT
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


    def test_the_subject_is_held_against_itself_on_each_engine(self):
        keys = ["token_cpu", "anonymous_cpu", "token_rate", "anonymous_rate"]
        section = Section("token", "Token", "", [Metric(key, key, "") for key in keys])
        for peer, values in (("havre", (11, 10, 80, 100)), ("havre-postgres", (12, 10, 90, 100))):
            for key, value in zip(keys, values):
                section.add(key, peer, value)
        verdicts = Judge({"token": section}, "havre").verdicts()
        self.assertEqual([one.outcome for one in verdicts],
                         ["**met**", "missed: 6% below 0.85 ×", "missed: 4% above 1.15 ×", "**met**"])
        self.assertIn("PostgreSQL", verdicts[2].work)

    def test_every_step_and_page_has_a_target(self):
        peers = {"havre": 1}
        pages = Section("lists", "", "", [Metric(f"{key}_{size}_time", "", "") for key in lists.PAGES
                                          for size in lists.SIZES])
        removal = Section("gc", "", "", [Metric(f"{work}_{state}_{quantile}", "", "") for work in gc.WORKS
                                         for state in (gc.QUIET, *gc.STEPS) for quantile in ("p50", "p99")])
        for section in (pages, removal):
            for metric in section.metrics:
                for peer, value in peers.items():
                    section.add(metric.key, peer, value)
        verdicts = Judge({"lists": pages, "gc": removal}, "havre").verdicts()
        self.assertEqual(len(verdicts), len(lists.PAGES) + len(gc.WORKS) * len(gc.STEPS) * 2)
        self.assertEqual({one.seen for one in verdicts}, {"1.00 ×"})


class Seed(unittest.TestCase):
    """What `bench/seed` puts into a database with the tables of the first migration."""

    def seed(self, *arguments):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        database = directory / "havre.db"
        connection = sqlite3.connect(database)
        connection.executescript((PROJECT / "migrations/sqlite/0001_registry.sql").read_text())
        connection.commit()
        command = [sys.executable, BENCH / "seed", database, *map(str, arguments), "--store", directory]
        subprocess.run(command, check=True)
        self.addCleanup(connection.close)
        return connection, directory

    def test_lists_have_what_the_measure_asks_for(self):
        connection, _ = self.seed("lists", "--repositories", 10, "--tags", 50, "--referrers", 7)
        def one(query, *values):
            return connection.execute(query, values).fetchone()[0]
        self.assertEqual(one("SELECT COUNT(*) FROM tags"), 50)
        self.assertEqual(one("SELECT COUNT(*) FROM tags t JOIN repositories r ON r.id = t.repository_id "
                             "WHERE r.name = ?", lists.REPOSITORY), 41)
        subject = b"\x01" + bytes.fromhex(lists._subject().removeprefix("sha256:"))
        self.assertEqual(one("SELECT COUNT(*) FROM manifests WHERE subject = ?", subject), 7)

    def test_dead_blobs_wait_for_their_step(self):
        for step, query in (("links", "SELECT COUNT(*) FROM repository_blobs WHERE unreferenced_since > 0"),
                            ("blobs", "SELECT COUNT(*) FROM blobs WHERE unlinked_since > 0"),
                            ("bytes", "SELECT COUNT(*) FROM garbage")):
            connection, _ = self.seed("dead", "--blobs", 30, "--repositories", 4, "--step", step)
            self.assertEqual(connection.execute(query).fetchone()[0], 30, step)

    def test_the_bytes_due_first_have_files(self):
        connection, store = self.seed("dead", "--blobs", 30, "--step", "bytes", "--files", 5)
        due = [row[0] for row in connection.execute("SELECT location FROM garbage ORDER BY not_before")]
        self.assertEqual([(store / "blobs" / location).exists() for location in due], [True] * 5 + [False] * 25)
        name = hashlib.sha256(b"seeded blob 0").hexdigest()
        self.assertTrue(due[0].startswith(f"sha256/{name[:2]}/{name}."))


class Commit(unittest.TestCase):
    """The commit that a page names."""

    def test_it_says_when_files_were_changed(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        def git(*arguments):
            subprocess.run(["git", "-C", directory, "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments],
                           check=True, capture_output=True)
        self.assertEqual(machine.commit(directory), "unknown")
        git("init")
        file = Path(directory, "file")
        file.write_text("one")
        git("add", "file")
        git("commit", "-m", "One")
        self.assertRegex(machine.commit(directory), r"^[0-9a-f]{12}$")
        file.write_text("two")
        self.assertRegex(machine.commit(directory), r"^[0-9a-f]{12}-dirty$")


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
