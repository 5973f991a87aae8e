# SPDX-License-Identifier: Apache-2.0
"""Every case of the conformance suite, by one process in batch mode that stays within its memory."""

import json
import sys
import tempfile
import unittest

from .vectors import SUITE, arguments, materialize, measured, peak_kib

MEMORY_KIB_MAX = 65536
_NAMES = sorted(path.name for path in SUITE.iterdir() if path.is_dir() and not path.name.startswith("_"))


class ConformanceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cases = {name: json.loads((SUITE / name / "case.json").read_text(encoding="utf-8")) for name in _NAMES}
        with tempfile.TemporaryDirectory() as scratch:
            rows = [arguments(name, case, materialize(name, case, scratch)) for name, case in cls.cases.items()]
            run = measured("--batch", input="".join(json.dumps(row) + "\n" for row in rows).encode())
        cls.memory_kib = peak_kib(run)
        cls.answers = dict(zip(cls.cases, (json.loads(line) for line in run.stdout.splitlines())))

    def test_the_suite_is_whole(self):
        self.assertGreaterEqual(len(self.cases), 236)
        self.assertEqual(len(self.answers), len(self.cases))

    @unittest.skipUnless(sys.platform == "linux", "the peak is read from /proc")
    def test_all_cases_together_stay_below_64_mib(self):
        self.assertLess(self.memory_kib, MEMORY_KIB_MAX)


def _agrees(name):
    def test(self):
        expected, answer = self.cases[name]["expect"], self.answers[name]
        self.assertEqual(answer["exit_code"], expected["exit_code"])
        said = {row[0]: row for row in answer["claims"]}
        self.assertEqual([said[row[0]] for row in expected["claims"]], expected["claims"])

    return test


for _name in _NAMES:
    setattr(ConformanceTest, f"test_case_{_name.replace('-', '_')}", _agrees(_name))
