#!/usr/bin/env python3
"""Tests of tools/test: nothing that goes wrong may look green."""

import json
import sys
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path


def load_runner():
    loader = SourceFileLoader("runner", str(Path(__file__).resolve().parent / "test"))
    module = module_from_spec(spec_from_loader("runner", loader))
    sys.modules["runner"] = module
    loader.exec_module(module)
    return module


runner = load_runner()


def shell(script, count, limit_s=20):
    return runner.run(runner.Suite("probe", ["/bin/sh", "-c", script], count, limit_s))


def gtest_report(*cases):
    return json.dumps({"testsuites": [{"name": "S", "testsuite": list(cases)}]})


PASSED = {"name": "a", "status": "RUN", "result": "COMPLETED"}
FAILED = PASSED | {"failures": [{"failure": "x"}]}
SKIPPED = PASSED | {"result": "SKIPPED"}
DISABLED = {"name": "a", "status": "NOTRUN", "result": "SUPPRESSED"}


class Runner(unittest.TestCase):
    def outcome(self, script, count, **how):
        outcome = shell(script, count, **how)
        return outcome, (outcome.counts.passed, outcome.counts.failed, outcome.counts.skipped)

    def test_counts_googletest(self):
        report = gtest_report(PASSED, PASSED, FAILED, SKIPPED, DISABLED)
        _, counts = self.outcome(f"echo '{report}' > {{report}}; exit 1", runner.count_gtest)
        self.assertEqual(counts, (2, 1, 2))

    def test_a_report_after_the_last_test_is_a_failure(self):
        report = gtest_report(PASSED)
        outcome, counts = self.outcome(f"echo '{report}' > {{report}}; exit 99",
                                       runner.count_gtest)
        self.assertEqual(counts, (1, 1, 0))
        self.assertIn("99", outcome.problem)

    def test_a_crash_counts_what_ran_and_fails(self):
        outcome, counts = self.outcome(
            "echo '[       OK ] S.a (0 ms)'; kill -SEGV $$", runner.count_gtest)
        self.assertEqual(counts, (1, 1, 0))
        self.assertIn("SIGSEGV", outcome.problem)

    def test_a_hanging_suite_is_ended_with_its_children(self):
        outcome, counts = self.outcome("sleep 60 & wait", runner.count_one, limit_s=1)
        self.assertEqual(counts, (0, 1, 0))
        self.assertIn("no end after", outcome.problem)
        self.assertLess(outcome.seconds, 15)

    def test_a_suite_without_tests_fails(self):
        for count in (runner.count_gtest, runner.count_node, runner.count_unittest):
            outcome, counts = self.outcome("exit 0", count)
            self.assertEqual(counts, (0, 1, 0))
            self.assertEqual(outcome.problem, "no test ran")

    def test_counts_node(self):
        tap = "# tests 6\\n# suites 0\\n# pass 2\\n# fail 1\\n# cancelled 1\\n# skipped 2\\n# todo 0"
        _, counts = self.outcome(f"printf '{tap}\\n'; exit 1", runner.count_node)
        self.assertEqual(counts, (2, 2, 2))

    def test_counts_unittest(self):
        said = "Ran 7 tests in 0.1s\\n\\nFAILED (failures=1, errors=1, skipped=2)"
        _, counts = self.outcome(f"printf '{said}\\n'; exit 1", runner.count_unittest)
        self.assertEqual(counts, (3, 2, 2))
        _, counts = self.outcome("printf 'Ran 7 tests in 0.1s\\n\\nOK\\n'", runner.count_unittest)
        self.assertEqual(counts, (7, 0, 0))

    def test_a_check_without_cases_counts_as_one(self):
        self.assertEqual(self.outcome("exit 0", runner.count_one)[1], (1, 0, 0))
        self.assertEqual(self.outcome("exit 3", runner.count_one)[1], (0, 1, 0))

    def test_suites_have_a_temporary_folder_of_their_own(self):
        outcome, _ = self.outcome('echo "at $TMPDIR"; touch "$TMPDIR/left"', runner.count_one)
        folder = outcome.output.split()[1]
        self.assertFalse(Path(folder).exists())


if __name__ == "__main__":
    unittest.main()
