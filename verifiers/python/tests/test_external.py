# SPDX-License-Identifier: Apache-2.0
"""Cases that nobody of this project wrote (schemas/vectors/external)."""

import base64
import hashlib
import itertools
import math
import struct
import unittest

from clyra_verify.canonical import canonical, double_text, read_double
from clyra_verify.grammar import Fault, Rules, parse
from clyra_verify.hashes import CompactRange, audit_path_length, leaf_hash, root_of_path
from clyra_verify.signing import signature_holds

from .vectors import json_file, json_lines

_RECORD = Rules(65535)
_NUMBERS = 1_000_000


class SignaturesTest(unittest.TestCase):
    def test_wycheproof(self):
        cases = json_lines("external", "wycheproof", "ed25519.jsonl")
        self.assertEqual(len(cases), 151)
        for case in cases:
            with self.subTest(case["id"]):
                signature = bytes.fromhex(case["sig"])
                key, message = bytes.fromhex(case["key"]), bytes.fromhex(case["msg"])
                holds = len(signature) == 64 and signature_holds(key, signature, message)
                self.assertEqual(holds, case["result"] == "valid")

    def test_cctv_with_points_of_small_order_refused(self):
        cases = json_lines("external", "cctv", "ed25519.jsonl")
        accepted = set(json_file("external", "cctv", "accepted.json")["ids"])
        self.assertEqual((len(cases), len(accepted)), (914, 43))
        for case in cases:
            key, signature = bytes.fromhex(case["key"]), bytes.fromhex(case["sig"])
            self.assertEqual(signature_holds(key, signature, case["msg"].encode()), case["id"] in accepted, case["id"])


class JsonTest(unittest.TestCase):
    def test_json_test_suite_as_members_of_records(self):
        verdicts = {row["name"]: row["record"] for row in json_lines("external", "json-test-suite", "verdicts.jsonl")}
        cases = json_lines("external", "json-test-suite", "cases.jsonl")
        self.assertEqual(len(cases), 340)
        for case in cases:
            data = _bytes_of(case)
            with self.subTest(case["name"]):
                try:
                    parse(b'{"a":' + data + b"}", _RECORD)
                    verdict = "accept"
                except Fault:
                    verdict = "reject"
                self.assertEqual(verdict, verdicts[case["name"]])

    def test_a_million_numbers_have_the_published_hash(self):
        plan = json_file("external", "json-canonicalization", "numbers.json")
        published = next(entry for entry in plan["published"] if entry["lines"] == _NUMBERS)
        hasher = hashlib.sha256()
        for bits in itertools.islice(_number_bits(plan), _NUMBERS):
            text = double_text(struct.unpack(">d", bits)[0])
            hasher.update(f"{bits.hex().lstrip('0') or '0'},{text}\n".encode())
        self.assertEqual(hasher.hexdigest(), published["sha256"])

    def test_only_the_text_that_rfc_8785_writes_is_a_number(self):
        for text in ("0", "-1", "1e+21", "1e-7", "0.1", "9007199254740993", "5e-324", "1.7976931348623157e+308"):
            wanted = float(text)
            if text == "9007199254740993":
                self.assertRaises(Fault, read_double, text.encode(), 0)
            else:
                self.assertEqual(read_double(text.encode(), 0), wanted)
        for text in ("-0", "1.0", "1e21", "1E+21", "1e400", "01", ".5", "1.", "0.10", "1" * 400, "--1", "1e"):
            with self.subTest(text):
                self.assertRaises(Fault, read_double, text.encode(), 0)

    def test_own_cases_of_records_have_the_bytes_and_codes_that_are_written_down(self):
        for case in json_file("canonical", "json-cases.json")["record"]:
            data = case["input"].encode("utf-8", "surrogatepass") if "input" in case else base64.b64decode(case["base64"])
            with self.subTest(case["name"]):
                if "code" in case:
                    self.assertRaises(Fault, parse, data, _RECORD)
                else:
                    self.assertEqual(canonical(parse(data, _RECORD)), data)


def _bytes_of(case):
    if "base64" in case:
        return base64.b64decode(case["base64"])
    return (case["text"] * case["repeat"] + case["end"]).encode()


def _number_bits(plan):
    """Edge cases, a run of neighbours, then the words of a chain of SHA-256 blocks; zeros and what is not finite left out."""
    yield from (bytes.fromhex(bits) for bits in plan["first"])
    start = int(plan["serial_from"], 16)
    yield from ((start + index).to_bytes(8, "big") for index in range(plan["serial_count"]))
    block = bytes(32)
    while True:
        block = hashlib.sha256(block).digest()
        for at in range(0, 32, 8):
            bits = block[at : at + 8][::-1]
            value = struct.unpack(">d", bits)[0]
            if value != 0 and math.isfinite(value):
                yield bits


class TreeTest(unittest.TestCase):
    def test_inclusion_proofs_of_transparency_dev(self):
        ran = 0
        for case in json_lines("external", "merkle", "cases.jsonl"):
            if not case["name"].startswith("inclusion/"):
                continue
            ran += 1
            with self.subTest(case["name"]):
                self.assertEqual(_included(case), not case["wantErr"])
        self.assertEqual(ran, 98)

    def test_roots(self):
        case = json_file("merkle", "rfc6962-roots.json")
        tree = CompactRange()
        self.assertEqual(tree.root().hex(), case["roots"][0])
        for leaf, root in zip(case["leaves_hex"], case["roots"][1:]):
            tree.append(leaf_hash(bytes.fromhex(leaf)))
            self.assertEqual(tree.root().hex(), root)

    def test_every_path_of_small_trees_leads_to_the_root(self):
        for size in range(1, 34):
            leaves = [leaf_hash(bytes((index,))) for index in range(size)]
            for index in range(size):
                path = _path(leaves, index)
                self.assertEqual(len(path), audit_path_length(index, size))
                self.assertEqual(root_of_path(leaves[index], index, size, path), _root(leaves))


def _included(case):
    index, size = case["leafIdx"], case["treeSize"]
    leaf, root = base64.b64decode(case["leafHash"] or ""), base64.b64decode(case["root"] or "")
    path = [base64.b64decode(node) for node in case["proof"] or ()]
    if index >= size or len(leaf) != 32 or any(len(node) != 32 for node in path):
        return False
    return len(path) == audit_path_length(index, size) and root_of_path(leaf, index, size, path) == root


def _split(size):
    half = 1
    while half * 2 < size:
        half *= 2
    return half


def _root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    half = _split(len(leaves))
    return hashlib.sha256(b"\x01" + _root(leaves[:half]) + _root(leaves[half:])).digest()


def _path(leaves, index):
    """RFC 6962 §2.1.1 as it is written there."""
    if len(leaves) == 1:
        return []
    half = _split(len(leaves))
    if index < half:
        return [*_path(leaves[:half], index), _root(leaves[half:])]
    return [*_path(leaves[half:], index - half), _root(leaves[:half])]
