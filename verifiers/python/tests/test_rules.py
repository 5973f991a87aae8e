# SPDX-License-Identifier: Apache-2.0
"""Rules that the conformance suite does not reach, and what the command line promises."""

import io
import json
import re
import tempfile
import unittest
from pathlib import Path

from clyra_verify.__main__ import main, read_options, run_batch
from clyra_verify.canonical import canonical
from clyra_verify.claims import Claims
from clyra_verify.container import compute_header
from clyra_verify.grammar import CANONICAL, DUPLICATE, NAME, NUMBER, ORDER, STRING, SYNTAX, Fault, Rules, parse
from clyra_verify.hashes import sha256_hex
from clyra_verify.note import read_note
from clyra_verify.policies import NoPolicy, read_guarded
from clyra_verify.reconcile import CutGroup
from clyra_verify.verify import verify

from .vectors import SUITE, put, unpack

_EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "spec" / "examples.md"
_SHARED = SUITE / "_shared"
_TRUST_ROOT = str(_SHARED / "trust-root.json")


class GrammarTest(unittest.TestCase):
    def test_the_first_fault_has_its_code_and_byte(self):
        cases = {
            b'{"a":1,"a":2}': (DUPLICATE, 9),
            b'{"b":1,"a":2}': (ORDER, 9),
            b'{"a":1,"c":1,"a":2}': (DUPLICATE, 15),
            b'{"A":1}': (NAME, 3),
            b'{"a":-0}': (NUMBER, 5),
            b'{"a":9007199254740992}': (NUMBER, 5),
            b'{"a":"\\/"}': (CANONICAL, 6),
            b'{"a":"x\\ud800"}': (STRING, 7),
            b'{"a":"\\ud83d\\ude00"}': (CANONICAL, 6),
            b'{"a":"\\uffff"}': (STRING, 6),
            b'{"a":"\xef\xbf\xbf"}': (STRING, 6),
            b'{"a":"\\u00"}': (SYNTAX, 6),
            b'{"a": 1}': (SYNTAX, 5),
            b"[1]": (SYNTAX, 0),
            b"": (SYNTAX, 0),
            b'{"a":1}x': (SYNTAX, 7),
            b'{"a":tru}': (SYNTAX, 5),
        }
        for data, (code, byte) in cases.items():
            with self.subTest(data):
                with self.assertRaises(Fault) as caught:
                    parse(data, Rules(65535))
                self.assertEqual((caught.exception.code, caught.exception.byte), (code, byte))

    def test_names_are_ordered_by_utf16_code_units_where_they_are_free(self):
        rules = Rules(65535, free_names=True)
        self.assertEqual(list(parse('{"\U0001f600":1,"\ufb33":2}'.encode(), rules)), ["\U0001f600", "\ufb33"])
        self.assertRaises(Fault, parse, '{"\ufb33":2,"\U0001f600":1}'.encode(), rules)

    def test_spans_are_the_canonical_bytes_of_what_stands_there(self):
        data = b'{"a":{"b":[1,{"c":"\\n"}]},"d":null}'
        inner = parse(data, Rules(65535))["a"]
        self.assertEqual(data[inner.start : inner.end], canonical(inner))


class PolicyTest(unittest.TestCase):
    def test_entries_of_one_source_are_united(self):
        data = b'{"guarded":[{"relations":["a","b"],"source_id":"s"},{"relations":["b","c"],"source_id":"s"}]}'
        self.assertEqual(read_guarded(data), {"s": {"a", "b", "c"}})

    def test_what_is_no_list_of_closed_entries_is_no_policy(self):
        for guarded in (b"{}", b"[1]", b'[{"relations":[],"source_id":1}]', b'[{"relations":[1],"source_id":"s"}]'):
            with self.subTest(guarded):
                self.assertRaises(NoPolicy, read_guarded, b'{"guarded":' + guarded + b"}")
        self.assertRaises(NoPolicy, read_guarded, b'{"guarded":[{"relations":[],"source_id":"s","x":1}]}')

    def test_the_limit_of_relations_counts_them_as_listed(self):
        for count, holds in ((16384, True), (16385, False)):
            text = b'{"guarded":[{"relations":[' + b",".join([b'"r"'] * count) + b'],"source_id":"s"}]}'
            if holds:
                self.assertEqual(read_guarded(text), {"s": {"r"}})
            else:
                self.assertRaises(NoPolicy, read_guarded, text)


class CutGroupTest(unittest.TestCase):
    """Lines before a cut against those that are derived: which code comes first."""

    def judge(self, standing, derived, surplus=0):
        claims = Claims()
        group = CutGroup(claims, lambda: max(len(standing), len(derived)) - surplus)
        for leaf, data in standing:
            group.matched({"file": "x"}, _Line(leaf, data))
        group.cut({"file": "cut"}, derived)
        return next(row["code"] for row in claims.list() if row["id"] == "reconciliation")

    def test_codes(self):
        one, two, three = (1, b"1"), (2, b"2"), (3, b"3")
        self.assertIsNone(self.judge([one, two], [one, two]))
        self.assertEqual(self.judge([one, (2, b"x")], [one, two]), "CLY_RECONCILE_LINE")
        self.assertEqual(self.judge([one, three], [one, two]), "CLY_RECONCILE_LINE")
        self.assertEqual(self.judge([one, three], [one, two, three]), "CLY_RECONCILE_MISSING")
        self.assertEqual(self.judge([one, two, two], [one, two]), "CLY_RECONCILE_EXTRA")
        self.assertEqual(self.judge([one, two, three], [one, three]), "CLY_RECONCILE_EXTRA")
        self.assertEqual(self.judge([two, one], [one, two]), "CLY_RECONCILE_PLACE")
        self.assertEqual(self.judge([one], []), "CLY_RECONCILE_EXTRA")
        self.assertEqual(self.judge([one, two, one], [one, two], 1), "CLY_RECONCILE_EXTRA")


class _Line:
    def __init__(self, leaf, data):
        self.value = {"leaf": leaf}
        self.data = data


class BundleTest(unittest.TestCase):
    def setUp(self):
        self._scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self._scratch.cleanup)
        self.folder = Path(self._scratch.name, "bundle")
        unpack(_SHARED / "good.tar", self.folder)

    def verify(self, *arguments):
        outcome = verify(read_options([*arguments, str(self.folder)]))
        return outcome.exit_code, {row["id"]: (row["status"], row["code"]) for row in outcome.claims.list()}

    def test_a_command_that_is_no_object_has_no_signer(self):
        path = self.folder / "journal.jsonl"
        lines = path.read_bytes().splitlines()
        first = json.loads(lines[0])
        first["change"]["body"]["command"] = 5
        path.write_bytes(b"\n".join([canonical(first), *lines[1:]]) + b"\n")
        _, claims = self.verify("--trust-root", _TRUST_ROOT, "--mode", "head")
        self.assertEqual(claims["authorship"], ("FAIL", "CLY_COMMAND_SIGNER"))

    def test_a_file_without_disclosures_discloses_nothing(self):
        put(self.folder, "../empty", b"")
        _, claims = self.verify("--disclosures", str(self.folder / "../empty"))
        self.assertEqual(claims["disclosure"], ("ABSENT", "CLY_DISCLOSURE_ABSENT"))

    def test_what_cannot_be_read_passes_nothing(self):
        (self.folder / "journal.jsonl").unlink()
        self.assertEqual(self.verify()[1]["integrity"], ("FAIL", "CLY_BUNDLE_FILE_MISSING"))
        self.folder = self.folder / "nowhere"
        code, claims = self.verify()
        self.assertEqual(code, 5)
        self.assertEqual(set(claims.values()), {("ABSENT", "CLY_CLAIM_NOT_REACHED")})

    def test_every_bit_of_the_signed_documents_counts(self):
        """One bit in every seventh byte; the long way, every bit of a whole bundle, is the mutator's."""
        for name in ("manifest.json", "manifest.dsse.json", "checkpoint", "bundle-log.checkpoint"):
            data = (self.folder / name).read_bytes()
            for at in range(0, len(data), 7):
                changed = bytearray(data)
                changed[at] ^= 1 << (at % 8)
                (self.folder / name).write_bytes(changed)
                self.assertIn(self.verify("--trust-root", _TRUST_ROOT)[0], (1, 2, 3), (name, at))
            (self.folder / name).write_bytes(data)

    def test_a_note_has_its_shape_or_none(self):
        data = (self.folder / "checkpoint").read_bytes()
        self.assertEqual(read_note(data).size, 13)
        for other in (data[:-1], data.replace(b"\n13\n", b"\n013\n"), data.replace(b"acme\n", b"ac me\n"), data + b"x\n"):
            self.assertIsNone(read_note(other))


class WorkedExampleTest(unittest.TestCase):
    """The bundle that stands whole in docs/spec/examples.md."""

    def test_the_bundle_of_the_page_holds(self):
        page = _EXAMPLES.read_text(encoding="utf-8")
        page = page[page.index("## A whole bundle") :]
        with tempfile.TemporaryDirectory() as scratch:
            trust_root = re.search(r"Trust root .*?```\n(.*?)\n```", page, re.DOTALL).group(1)
            put(scratch, "trust-root.json", trust_root.encode())
            files = re.findall(r"^`([^`]+)`, (\d+) bytes, H = `[0-9a-f]+`:\n\n```\n(.*?)```", page, re.DOTALL | re.MULTILINE)
            for name, size, text in files:
                put(scratch, f"bundle/{name}", text.encode()[: int(size)])
            self.assertEqual(len(files), 7)
            outcome = verify(read_options(["--trust-root", f"{scratch}/trust-root.json", f"{scratch}/bundle"]))
        passed = [row["id"] for row in outcome.claims.list() if row["status"] == "PASS"]
        self.assertEqual(passed, ["integrity", "order", "completeness", "authorship", "policy", "reconciliation", "coverage"])


class CommandLineTest(unittest.TestCase):
    def test_wrong_arguments_are_no_verdict(self):
        out = io.StringIO()
        run_batch(['["--bogus"]\n', "nonsense\n", "[]\n", '["--mode","x","y"]\n'], out)
        answers = [json.loads(line) for line in out.getvalue().splitlines()]
        self.assertEqual(answers, [{"claims": [], "exit_code": 5}] * 4)
        self.assertEqual(main(["--bogus"]), 5)

    def test_the_header_of_the_worked_example(self):
        digest = sha256_hex(compute_header(b"manifest.json", 2))
        self.assertEqual(digest, "d9d083dcd6a4a88cb28859e9ad5288978ff867bc579bd63fdfd642a63ec7a11c")
