#!/usr/bin/env python3
"""Tests of tools/capacity."""

import importlib.machinery
import importlib.util
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parent / "capacity"
loader = importlib.machinery.SourceFileLoader("capacity", str(TOOL))
capacity = importlib.util.module_from_spec(importlib.util.spec_from_loader("capacity", loader))
loader.exec_module(capacity)

SIMPLE = {"hash": 1000, "otpd_send": 200, "otpd_verify": 100, "redis_send": 50, "redis_verify": 50,
          "postgres_row": 10, "rows_send": 3, "rows_verify": 2, "bytes_recipient": 1000,
          "bytes_session": 100, "bytes_row": 500, "postgres_rows": 1000, "verifies": 1,
          "recipient_s": 100, "session_s": 1000, "busy": 0.5, "node_gb": 1, "retention_days": 10,
          "day": 0.5}


class CapacityTest(unittest.TestCase):
    def test_a_case_by_hand(self):
        need = capacity.needs(10_000, SIMPLE)
        self.assertEqual(need["cores of api processes"], 44)  # 10,000 x (1,100 + 1,100) us / 0.5
        self.assertEqual(need["cores of worker processes"], 2)
        self.assertEqual(need["Redis masters by CPU"], 2)
        self.assertAlmostEqual(need["data in Redis, GB"], 1.5)
        self.assertEqual(need["Redis masters by memory"], 2)
        self.assertEqual(need["Redis nodes, replicas included"], 300)  # the least, 50 times
        self.assertEqual(need["`redis.partitions` of each, at least"], 64)
        self.assertEqual(need["audit rows a second"], 50_000)
        self.assertEqual(need["cores of PostgreSQL"], 1)
        self.assertAlmostEqual(need["PostgreSQL a day, GB"], 1080)
        self.assertAlmostEqual(need["PostgreSQL kept, TB"], 10.8)
        self.assertEqual(need["clusters"], 50)

    def test_masters_and_partitions_grow(self):
        need = capacity.needs(1_000_000, SIMPLE | {"postgres_rows": 2_500_000})
        self.assertEqual(need["clusters"], 2)
        self.assertEqual(need["Redis masters by CPU"], 200)
        self.assertEqual(need["Redis nodes, replicas included"], 400)
        self.assertEqual(need["`redis.partitions` of each, at least"], 800)

    def test_the_page_has_every_number_and_the_table_of_them(self):
        page = capacity.PAGE.read_text(encoding="utf-8")
        self.assertEqual(capacity.numbers(page).keys(), SIMPLE.keys())
        self.assertEqual(page, capacity.with_table(page))

    def test_numbers_are_shown_as_people_read_them(self):
        self.assertEqual([capacity.shown(each) for each in (3, 0.04, 9.96, 12.4, 1234567.8)],
                         ["3", "0.0", "10.0", "12", "1,234,568"])


if __name__ == "__main__":
    unittest.main()
