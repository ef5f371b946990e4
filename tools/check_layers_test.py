#!/usr/bin/env python3
"""Tests of check_layers.py: each rule, broken once in a small tree of its own."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CHECKER = Path(__file__).resolve().parent / "check_layers.py"

CLEAN = {
    "src/LAYERS": "# comment\nbase:\ncrypto: base\notp: base crypto\nstorage: base otp\n",
    "src/base/clock.cc": '#include "base/clock.h"\nauto t = std::chrono::system_clock::now();\n',
    "src/base/clock.h": "#pragma once\n",
    "src/crypto/equal.cc": "int x = std::memcmp(a, b, 1);\n",
    "src/otp/rule.cc": '#include <vector>\n#include "crypto/equal.h"\n#include "records.pb.h"\n'
                       '// sqlite3 and std::mutex are words here. #include "storage/x.h"\n',
    "src/otp/rule_test.cc": '#include "otp/rule.h"\nstd::mt19937 engine;\nstd::mutex lock;\n',
    "src/storage/sqlite.cc": '#include "otp/store.h"\nauto due = rows.time(0);\n',
    "sim/main.cc": '#include "base/clock.h"\n#include "sim/inbox.h"\n',
    "tests/contract/harness.h": "#pragma once\n",
    "tests/contract/store_test.cc": '#include "harness.h"\n'
                                    '#include "storage/sqlite.h"\n#include "otp/store.h"\n',
    "README.md": "See https://example.org/home/page and ./work/x and src/home/y.\n",
}

# name: (files to add or replace, the start of the line expected, a word expected in it)
BREACHES = {
    "upward include": ({"src/otp/rule.cc": '\n#include "storage/sqlite.h"\n'},
                       "src/otp/rule.cc:2:", "otp may not include storage"),
    "upward include in a test": ({"src/otp/rule_test.cc": '#include "storage/sqlite.h"\n'},
                                 "src/otp/rule_test.cc:1:", "may not include"),
    "spaced include": ({"src/otp/rule.cc": '  #  include   "storage/sqlite.h"\n'},
                       "src/otp/rule.cc:1:", "may not include"),
    "unknown module": ({"src/otp/rule.cc": '#include "nowhere/a.h"\n'},
                       "src/otp/rule.cc:1:", "not of the form"),
    "relative include": ({"src/otp/rule.cc": '#include "../storage/sqlite.h"\n'},
                         "src/otp/rule.cc:1:", "not of the form"),
    "bare include": ({"src/otp/rule.cc": '#include "rule.h"\n'},
                     "src/otp/rule.cc:1:", "not of the form"),
    "program above its modules": ({"sim/main.cc": '#include "otp/rule.h"\n'},
                                  "sim/main.cc:1:", "sim may not include otp"),
    "cycle": ({"src/LAYERS": "base: storage\ncrypto: base\notp: base crypto\nstorage: base otp\n"},
              "src/LAYERS:1:", "a cycle"),
    "unknown layer": ({"src/LAYERS": CLEAN["src/LAYERS"] + "net: base ghost\n"},
                      "src/LAYERS:6:", "unknown"),
    "self": ({"src/LAYERS": CLEAN["src/LAYERS"].replace("crypto: base", "crypto: base crypto")},
             "src/LAYERS:3:", "lists itself"),
    "second line": ({"src/LAYERS": CLEAN["src/LAYERS"] + "otp: base\n"},
                    "src/LAYERS:6:", "second line"),
    "bad line": ({"src/LAYERS": CLEAN["src/LAYERS"] + "otp base\n"}, "src/LAYERS:6:", "not `"),
    "folder without a layer": ({"src/stray/a.cc": "\n"}, "src/stray:1:", "missing from"),
    "layer without a folder": ({"src/LAYERS": CLEAN["src/LAYERS"] + "net: base\n"},
                               "src/LAYERS:1:", "net has no folder"),
    "system clock": ({"src/otp/a.cc": "\nauto t = std::chrono::system_clock::now();\n"},
                     "src/otp/a.cc:2:", "clock"),
    "system clock in a test": ({"tests/contract/a_test.cc": "auto t = system_clock::now();\n"},
                               "tests/contract/a_test.cc:1:", "clock"),
    "time of day": ({"src/otp/a.cc": "auto t = time(nullptr);\n"}, "src/otp/a.cc:1:", "clock"),
    "backend in the domain": ({"src/otp/a.cc": "#include <sqlite3.h>\n"},
                              "src/otp/a.cc:1:", "no backend"),
    "lock in the domain": ({"src/otp/a.h": "std::mutex m;\n"}, "src/otp/a.h:1:", "no backend"),
    "foreign randomness": ({"src/storage/a.cc": "std::random_device device;\n"},
                           "src/storage/a.cc:1:", "Random"),
    "memcmp": ({"src/otp/a.cc": "return std::memcmp(a, b, 32) == 0;\n"},
               "src/otp/a.cc:1:", "constant_time"),
    "after a string with slashes": ({"src/otp/a.cc": 'f("http://x"); std::mutex m;\n'},
                                    "src/otp/a.cc:1:", "no backend"),
    "after a raw string": ({"src/otp/a.cc": 'f(R"(a " /* )"); std::mutex m;\n'},
                           "src/otp/a.cc:1:", "no backend"),
    "after a digit separator": ({"src/otp/a.cc": "int x = 10'000; std::mutex m; // it's\n"},
                                "src/otp/a.cc:1:", "no backend"),
    "long file": ({"src/otp/a.cc": "\n" * 401}, "src/otp/a.cc:401:", "401 lines"),
    "long script": ({"tools/a": "#!/bin/sh\n" + "\n" * 400}, "tools/a:401:", "401 lines"),
    "home path": ({"docs/a.md": "see /" + "home/someone/otpd\n"}, "docs/a.md:1:", "absolute"),
    "work path": ({"Makefile": "A := /" + "work/main\n"}, "Makefile:1:", "absolute"),
}


def run_on(files):
    """The checker's exit status and output lines on a tree of `files`."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            file = Path(folder) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        done = subprocess.run([sys.executable, CHECKER, folder], capture_output=True, text=True,
                              timeout=60)
        return done.returncode, done.stdout.splitlines()


class CheckLayers(unittest.TestCase):
    def test_a_clean_tree_is_clean(self):
        status, lines = run_on(CLEAN)
        self.assertEqual((status, lines), (0, ["check_layers: clean"]))

    def test_each_breach_is_found_alone(self):
        for name, (changes, start, word) in BREACHES.items():
            with self.subTest(name):
                status, lines = run_on(CLEAN | changes)
                self.assertEqual(status, 1, lines)
                hits = [line for line in lines if line.startswith(start) and word in line]
                self.assertTrue(hits, lines)

    def test_what_is_not_ours_is_left_alone(self):
        status, lines = run_on(CLEAN | {
            "build/a.cc": "#include \"ghost/x.h\"\n",
            "tests/e2e/node_modules/x/a.js": "\n" * 500,
            "src/otp/long.proto": "\n" * 500,
        })
        self.assertEqual(status, 0, lines)

    def test_without_layers_it_cannot_check(self):
        status, _ = run_on({"README.md": "x\n"})
        self.assertEqual(status, 2)


if __name__ == "__main__":
    unittest.main()
