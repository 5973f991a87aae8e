# SPDX-License-Identifier: Apache-2.0
"""Disclosures: their shape, and what they open while the lines go by (disclosure.md §2, §4)."""

import hashlib
import re

from .canonical import canonical
from .claims import ABSENT
from .failure import Malformed, place
from .grammar import Fault, Rules, parse, utf16_key
from .lines import LINE_MAX, split_lines
from .shapes import is_closed, is_commitment, is_half, is_int, is_object, is_text

SIZE_MAX = 16777216
_RULES = Rules(LINE_MAX)
_PARTS = ("change", "observation", "receipt")
_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,8})\Z")
_NAMES = ("leaf", "part", "pointer", "salt", "v", "value")


def read_disclosures(data):
    """The lines of a disclosures file, as bytes. Raises Malformed."""
    if len(data) > SIZE_MAX:
        raise Malformed("CLY_DISCLOSURE_SHAPE", place("--disclosures"))
    last = None
    for number, raw in enumerate(split_lines([data], hashlib.sha256), 1):
        value = _parse(raw)
        if value is None:
            raise Malformed("CLY_DISCLOSURE_SHAPE", place("--disclosures", line=number))
        order = (value["leaf"], utf16_key(value["part"]), utf16_key(value["pointer"]))
        if last is not None and order <= last:
            raise Malformed("CLY_DISCLOSURE_SHAPE", place("--disclosures", line=number))
        last = order
    return data


def _parse(raw):
    if raw.too_long or not raw.terminated:
        return None
    try:
        value = parse(raw.data, _RULES)
    except Fault:
        return None
    if not is_closed(value, _NAMES) or not is_int(value["v"]) or value["v"] != 0 or not is_int(value["leaf"]):
        return None
    if not is_text(value["part"]) or value["part"] not in _PARTS or not is_text(value["pointer"]):
        return None
    return value if is_half(value["salt"]) else None


class Disclosures:
    """Goes through the disclosures beside the lines of the bundle."""

    def __init__(self, data, claims):
        self._claims = claims
        self._number = 0
        if data is None or data == b"":
            claims.say("disclosure", ABSENT, "CLY_DISCLOSURE_ABSENT")
            data = b""
        self._lines = split_lines([data], hashlib.sha256)
        self._next()

    def _next(self):
        raw = next(self._lines, None)
        self._number += 1
        self._value = None if raw is None else _parse(raw)

    def take(self, leaf, line):
        """A line of the bundle, at this leaf."""
        while self._value is not None and self._value["leaf"] <= leaf:
            if self._value["leaf"] < leaf:
                self._fail("CLY_DISCLOSURE_LEAF")
            else:
                code = _judge(self._value, line)
                if code is not None:
                    self._fail(code)
            self._next()

    def end(self):
        while self._value is not None:
            self._fail("CLY_DISCLOSURE_LEAF")
            self._next()

    def _fail(self, code):
        self._claims.fail("disclosure", code, place("--disclosures", line=self._number))


def _judge(disclosure, line):
    part = line.value.get(disclosure["part"]) if line.replaced is None else None
    if not is_object(part):
        return "CLY_DISCLOSURE_LEAF"
    held = _at_pointer(part["body"], disclosure["pointer"])
    if not is_commitment(held):
        return "CLY_DISCLOSURE_POINTER"
    salt, pointer = bytes.fromhex(disclosure["salt"]), disclosure["pointer"].encode("utf-8")
    text = b"clyra/commit/v0\n" + salt + pointer + b"\0" + canonical(disclosure["value"])
    return None if hashlib.sha256(text).hexdigest() == held["$commit"] else "CLY_DISCLOSURE_VALUE"


def _at_pointer(value, pointer):
    """RFC 6901; None where nothing stands."""
    if pointer == "":
        return value
    if not pointer.startswith("/"):
        return None
    for token in pointer[1:].split("/"):
        if re.search(r"~(?![01])", token):
            return None
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(token)
        elif isinstance(value, list) and _INDEX.match(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            return None
    return value
