# SPDX-License-Identifier: Apache-2.0
"""The exit code is the verdict, also where nobody reads the report to its end."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

from .vectors import SUITE

_PACKAGE = Path(__file__).resolve().parents[1]
_SHARED = SUITE / "_shared"
_GOOD = ["--trust-root", _SHARED / "trust-root.json", "--policy", _SHARED / "policy.json", _SHARED / "good.tar"]


def verdict(out, *arguments):
    """The exit code of a run that writes its report there."""
    command = [sys.executable, "-B", "-m", "clyra_verify", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(_PACKAGE)}
    return subprocess.run(command, env=environment, stdout=out, stderr=out, timeout=60, check=False).returncode


class OutputTest(unittest.TestCase):
    def unread(self, *arguments):
        read, write = os.pipe()
        os.close(read)
        try:
            return verdict(write, *arguments)
        finally:
            os.close(write)

    def test_the_verdict_stands_where_nobody_reads(self):
        self.assertEqual(self.unread(*_GOOD), 0)
        self.assertEqual(self.unread("--json", *_GOOD), 0)
        self.assertEqual(self.unread(_SHARED / "nothing"), 5)
        self.assertEqual(self.unread("--nosuch"), 5)

    @unittest.skipUnless(Path("/dev/full").exists(), "this system has no /dev/full")
    def test_an_answer_that_is_lost_is_no_verdict(self):
        with open("/dev/full", "wb", buffering=0) as full:
            self.assertEqual(verdict(full, *_GOOD), 5)
