#!/usr/bin/env python3
"""That tests/mutations.toml still fits the sources, and that tools/mutations tells what it finds."""
import importlib.machinery
import importlib.util
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
loader = importlib.machinery.SourceFileLoader("mutations", str(ROOT / "tools" / "mutations"))
mutations = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutations", loader))
loader.exec_module(mutations)


class MutationsTest(unittest.TestCase):
    def test_every_mutation_fits_the_sources(self):
        listed = mutations.read()
        self.assertGreater(len(listed), 60)
        self.assertEqual([(m.name, m.problem(ROOT)) for m in listed if m.problem(ROOT)], [])
        self.assertEqual(len({m.name for m in listed}), len(listed))

    def test_what_does_not_fit_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "a.cc").write_text("if (x) y(); if (x) z();")
            def problem(file, old, new=""):
                row = mutations.Mutation("name", file, old, new, "otp_test", "*")
                return row.problem(Path(folder))
            self.assertIsNone(problem("a.cc", "y()"))
            self.assertEqual(problem("a.cc", "if (x)"), "a.cc has the text 2 times")
            self.assertEqual(problem("a.cc", "w()"), "a.cc has the text 0 times")
            self.assertEqual(problem("b.cc", "y()"), "there is no b.cc")
            self.assertEqual(problem("a.cc", "y()", "y()"), "changes nothing")


if __name__ == "__main__":
    unittest.main()
