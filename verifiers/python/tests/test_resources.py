# SPDX-License-Identifier: Apache-2.0
"""Hostile sizes: each in a process of its own, which must answer with a code and stay within its memory."""

import hashlib
import json
import sys
import tempfile
import unittest
from pathlib import Path

from clyra_verify.canonical import canonical

from .vectors import SUITE, measured, peak_kib, put, unpack

_TRUST_ROOT = SUITE / "_shared" / "trust-root.json"
_MIB = 1048576
_MEMORY_KIB_MAX = 65536


def run(*arguments):
    """(exit code, claims, peak memory in KiB) of a verification."""
    end = measured("--json", *map(str, arguments))
    claims = {row["id"]: (row["status"], row["code"]) for row in json.loads(end.stdout)["claims"]}
    return end.returncode, claims, peak_kib(end)


@unittest.skipUnless(sys.platform == "linux", "the peak is read from /proc")
class ResourceTest(unittest.TestCase):
    def setUp(self):
        self._scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self._scratch.cleanup)
        self.folder = Path(self._scratch.name, "bundle")
        unpack(SUITE / "_shared" / "good.tar", self.folder)

    def check(self, code, claim, *arguments):
        exit_code, claims, memory_kib = run(*arguments, self.folder)
        self.assertEqual(claims[claim][1], code, claims)
        self.assertLess(memory_kib, _MEMORY_KIB_MAX)
        return exit_code

    def artifact(self, kind, data):
        """Puts an artifact into the bundle and lists it; what is signed no longer holds."""
        manifest = json.loads((self.folder / "manifest.json").read_bytes())
        digest = hashlib.sha256(data).hexdigest()
        put(self.folder, f"artifacts/{digest}", data)
        entries = [*manifest["artifacts"], {"kind": kind, "sha256": digest, "size": len(data)}]
        manifest["artifacts"] = sorted(entries, key=lambda entry: entry["sha256"])
        put(self.folder, "manifest.json", canonical(manifest))

    def test_a_line_of_100_mib_has_its_code(self):
        with open(self.folder / "journal.jsonl", "wb") as file:
            for _ in range(100):
                file.write(b"a" * _MIB)
        self.assertEqual(self.check("CLY_LINE_TOO_LONG", "integrity"), 1)

    def test_a_manifest_full_of_containers(self):
        put(self.folder, "manifest.json", b'{"a":[' + b"[]," * 349000 + b"[]]}")
        self.assertEqual(self.check("CLY_MANIFEST_SHAPE", "integrity"), 2)

    def test_a_trust_root_full_of_containers(self):
        put(self.folder, "../trust-root.json", b'{"keys":[' + b"{}," * 340000 + b"{}]}")
        self.assertEqual(self.check("CLY_TRUST_ROOT_SHAPE", "integrity", "--trust-root", self.folder / "../trust-root.json"), 2)

    def test_a_policy_of_many_members(self):
        names = (b'"%08x":[{}]' % number for number in range(250000))
        self.artifact("policy", b"{" + b",".join(names) + b"}")
        self.check("CLY_BUNDLE_ARTIFACT_UNNAMED", "integrity")

    def test_a_policy_that_guards_nothing_very_often(self):
        self.artifact("policy", b'{"guarded":[' + b'{"relations":[],"source_id":""},' * 150000 + b'{"relations":[],"source_id":""}]}')
        self.check("CLY_BUNDLE_ARTIFACT_UNNAMED", "integrity")

    def test_disclosures_of_16_mib(self):
        line = b'{"leaf":%d,"part":"change","pointer":"/a","salt":"%s","v":0,"value":"%s"}\n'
        lines = (line % (leaf, b"0" * 32, b"x" * 1500) for leaf in range(10400))
        put(self.folder, "../disclosures", b"".join(lines))
        self.check("CLY_DISCLOSURE_POINTER", "disclosure", "--disclosures", self.folder / "../disclosures")

    def test_nesting_as_deep_as_a_line_is_long(self):
        put(self.folder, "journal.jsonl", b'{"a":' + b"[" * 65000 + b"\n")
        self.check("CLY_JSON_DEPTH", "integrity")

    def test_a_journal_of_many_lines(self):
        line = (self.folder / "journal.jsonl").read_bytes().splitlines(keepends=True)[4]
        with open(self.folder / "journal.jsonl", "ab") as file:
            for _ in range(3000):
                file.write(line)
        self.check("CLY_BUNDLE_JOURNAL_DIGEST", "integrity", "--trust-root", _TRUST_ROOT)
