# SPDX-License-Identifier: Apache-2.0
"""The tokenizer of records: verification.md §4 says which fault of which byte has which code.

Works on bytes and goes through them once. Values become Python objects only down to the depth that the caller asks
for: what stands deeper is judged all the same, but takes no memory (a policy or a line of a state may be large).
"""

import codecs
import re

INTEGER_MAX = 9007199254740991

SIZE = "CLY_JSON_SIZE"
UTF8 = "CLY_JSON_UTF8"
SYNTAX = "CLY_JSON_SYNTAX"
DEPTH = "CLY_JSON_DEPTH"
STRING = "CLY_JSON_STRING"
CANONICAL = "CLY_JSON_CANONICAL"
NAME = "CLY_JSON_NAME"
DUPLICATE = "CLY_JSON_DUPLICATE"
ORDER = "CLY_JSON_ORDER"
NUMBER = "CLY_JSON_NUMBER"

_RUN = re.compile(rb'[^"\\\x00-\x1f]*+')
_NONCHARACTER = re.compile(rb"\xef(?:\xb7[\x90-\xaf]|\xbf[\xbe\xbf])|[\xf0-\xf4][\x8f\x9f\xaf\xbf]\xbf[\xbe\xbf]")
_NUMBER_RUN = re.compile(rb"[0-9+\-.eE]*+")
_INTEGER = re.compile(rb"(?:0|-?[1-9][0-9]{0,15})\Z")
_NAME = re.compile(r"(?:[a-z][a-z0-9_]{0,63}|\$commit|\$leaf)\Z")
_SPACE = re.compile(rb"[ \t\r\n]*+")
_HEX4 = re.compile(rb"[0-9a-fA-F]{4}")
_WRITTEN_SHORT = {0x22: '"', 0x5C: "\\", 0x62: "\b", 0x66: "\f", 0x6E: "\n", 0x72: "\r", 0x74: "\t"}
_LITERALS = ((0x74, b"true", True), (0x66, b"false", False), (0x6E, b"null", None))
_DECODE_CHUNK_BYTES = 65536
# More containers than any document of its shape has: those beyond are judged but no longer built.
CONTAINERS_MAX = 65536


class Fault(Exception):
    """What is wrong with a text, and at which byte."""

    def __init__(self, code, byte):
        super().__init__(f"{code} at byte {byte}")
        self.code = code
        self.byte = byte


class Object(dict):
    """An object of a text, how many members it has there, and its span: in a canonical text its canonical bytes."""

    __slots__ = ("count", "start", "end")


class Opaque:
    """Stands for a container below the depth that is built: its kind and its span."""

    __slots__ = ("kind", "start", "end")

    def __init__(self, kind, start):
        self.kind = kind
        self.start = start
        self.end = start


_BEYOND = Opaque("container", 0)


class Rules:
    """Which narrowing of JSON a text keeps, and how much of it becomes objects."""

    def __init__(self, size_max, **options):
        self.size_max = size_max
        self.depth_max = options.pop("depth_max", 32)
        self.free_names = options.pop("free_names", False)
        self.free_order = options.pop("free_order", False)
        self.white_space = options.pop("white_space", False)
        self.read_number = options.pop("read_number", read_integer)
        self.build_depth = options.pop("build_depth", 1 << 30)
        self.kept_names = options.pop("kept_names", None)
        if options:
            raise TypeError(f"unknown rules {sorted(options)}")


def parse(data, rules):
    """The value of a text (always an Object), or raises Fault."""
    if len(data) > rules.size_max:
        raise Fault(SIZE, rules.size_max)
    _require_utf8(data)
    return _Reader(data, rules).read()


def utf16_key(text):
    """Sorts as the UTF-16 code units of a text do."""
    return text.encode("utf-16-be")


def ascending(texts):
    """Whether texts ascend by their UTF-16 code units, each once."""
    keys = [utf16_key(text) for text in texts]
    return all(before < after for before, after in zip(keys, keys[1:]))


def read_integer(token, byte):
    """A number of a record: an integer as RFC 8785 writes it, within ±(2^53−1)."""
    if not _INTEGER.match(token):
        raise Fault(NUMBER, byte)
    value = int(token)
    if not -INTEGER_MAX <= value <= INTEGER_MAX:
        raise Fault(NUMBER, byte)
    return value


def _require_utf8(data):
    """In pieces: a text may be large, and its characters as one string four times as large."""
    try:
        if len(data) <= _DECODE_CHUNK_BYTES:
            data.decode("utf-8")
            return
        decoder = codecs.getincrementaldecoder("utf-8")()
        view = memoryview(data)
        for at in range(0, len(data), _DECODE_CHUNK_BYTES):
            decoder.decode(view[at : at + _DECODE_CHUNK_BYTES])
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        raise Fault(UTF8, 0) from None


class _Frame:
    """A container that is open: what it is, what stands in it, the last name, and all of them if it is not built."""

    __slots__ = ("is_object", "value", "name", "last", "names", "count")

    def __init__(self, is_object, value):
        self.is_object = is_object
        self.value = value
        self.name = None
        self.last = None
        self.names = set() if value is _BEYOND else None
        self.count = 0


class _Reader:
    def __init__(self, data, rules):
        self.data = data
        self.rules = rules
        self.at = 0
        self.containers = 0
        self.any_noncharacter = _NONCHARACTER.search(data) is not None

    def read(self):
        self._skip()
        if self._byte() != 0x7B:
            raise Fault(SYNTAX, self.at)
        stack = []
        root = self._open(stack, True)
        while stack:
            self._step(stack)
        self._skip()
        if self.at != len(self.data):
            raise Fault(SYNTAX, self.at)
        return root

    def _byte(self):
        return self.data[self.at] if self.at < len(self.data) else -1

    def _skip(self):
        if self.rules.white_space:
            self.at = _SPACE.match(self.data, self.at).end()

    def _open(self, stack, is_object):
        depth = len(stack) + 1
        if depth > self.rules.depth_max:
            raise Fault(DEPTH, self.at)
        self.containers += 1
        if self.containers > CONTAINERS_MAX and self.rules.kept_names is None:
            value = _BEYOND
        elif depth > self.rules.build_depth:
            value = Opaque("object" if is_object else "list", self.at)
        elif is_object:
            value = Object()
            value.start = self.at
        else:
            value = []
        stack.append(_Frame(is_object, value))
        self.at += 1
        return value

    def _close(self, stack):
        self.at += 1
        frame = stack.pop()
        value = frame.value
        if value.__class__ is not list:
            value.end = self.at
        if value.__class__ is Object:
            value.count = frame.count

    def _step(self, stack):
        """One member or element with what stands before it, or the bracket that closes."""
        frame = stack[-1]
        self._skip()
        byte = self._byte()
        closing = 0x7D if frame.is_object else 0x5D
        if byte == closing:
            self._close(stack)
            return
        if frame.count > 0:
            if byte != 0x2C:
                raise Fault(SYNTAX, self.at)
            self.at += 1
            self._skip()
        frame.count += 1
        if frame.is_object:
            self._name(frame)
        self._value(stack, frame)

    def _name(self, frame):
        if self._byte() != 0x22:
            raise Fault(SYNTAX, self.at)
        name = self._string()
        closing = self.at - 1
        if not self.rules.free_names and not _NAME.match(name):
            raise Fault(NAME, closing)
        if self.rules.free_order:
            if name in (frame.value if frame.value.__class__ is Object else frame.names):
                raise Fault(DUPLICATE, closing)
        elif frame.last is not None and _not_above(name, frame.last):
            # Names ascend up to the first fault, so one that stood before is among the members of the object itself.
            names = frame.value if frame.value.__class__ is Object else frame.names or ()
            raise Fault(DUPLICATE if name in names else ORDER, closing)
        if frame.names is not None:
            frame.names.add(name)
        frame.last = name
        frame.name = name
        self._skip()
        if self._byte() != 0x3A:
            raise Fault(SYNTAX, self.at)
        self.at += 1
        self._skip()

    def _value(self, stack, frame):
        byte = self._byte()
        if byte in (0x7B, 0x5B):
            self._put(frame, self._open(stack, byte == 0x7B))
        elif byte == 0x22:
            self._put(frame, self._string(frame.value.__class__ is not Opaque))
        elif byte == 0x2D or 0x30 <= byte <= 0x39:
            end = _NUMBER_RUN.match(self.data, self.at).end()
            value = self.rules.read_number(self.data[self.at : min(end, self.at + 64)], self.at)
            self.at = end
            self._put(frame, value)
        else:
            self._literal(frame, byte)

    def _literal(self, frame, byte):
        for first, text, value in _LITERALS:
            if byte == first and self.data.startswith(text, self.at):
                self.at += len(text)
                self._put(frame, value)
                return
        raise Fault(SYNTAX, self.at)

    def _put(self, frame, value):
        if frame.value.__class__ is Object:
            kept = self.rules.kept_names
            if kept is None or frame.name in kept:
                frame.value[frame.name] = value
        elif frame.value.__class__ is list:
            frame.value.append(value)

    def _string(self, build=True):
        """The string whose opening quote is here; judged all the same when it is not built."""
        data = self.data
        at = self.at + 1
        parts = []
        while True:
            end = _RUN.match(data, at).end()
            if self.any_noncharacter:
                found = _NONCHARACTER.search(data, at, end)
                if found:
                    raise Fault(STRING, found.start())
            if build and end > at:
                parts.append(data[at:end].decode("utf-8"))
            byte = data[end] if end < len(data) else -1
            if byte == 0x22:
                self.at = end + 1
                return parts[0] if len(parts) == 1 else "".join(parts)
            if byte != 0x5C:
                raise Fault(SYNTAX, end)
            text, at = _escape(data, end)
            if build:
                parts.append(text)


def _escape(data, at):
    """The character of the escape whose backslash is at `at`, and where the text goes on."""
    kind = data[at + 1] if at + 1 < len(data) else -1
    if kind in _WRITTEN_SHORT:
        return _WRITTEN_SHORT[kind], at + 2
    if kind == 0x2F:
        raise Fault(CANONICAL, at)
    if kind != 0x75 or not _HEX4.match(data, at + 2):
        raise Fault(SYNTAX, at)
    digits = data[at + 2 : at + 6]
    unit = int(digits, 16)
    if 0xD800 <= unit <= 0xDFFF:
        unit = _pair(data, at, unit)
    if 0xFDD0 <= unit <= 0xFDEF or unit & 0xFFFE == 0xFFFE:
        raise Fault(STRING, at)
    if unit >= 0x20 or unit in (8, 9, 10, 12, 13) or digits != digits.lower():
        raise Fault(CANONICAL, at)
    return chr(unit), at + 6


def _pair(data, at, high):
    """The code point of a high surrogate directly followed by an escaped low one."""
    if high > 0xDBFF or data[at + 6 : at + 8] != b"\\u" or not _HEX4.match(data, at + 8):
        raise Fault(STRING, at)
    low = int(data[at + 8 : at + 12], 16)
    if not 0xDC00 <= low <= 0xDFFF:
        raise Fault(STRING, at)
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)


def _not_above(name, last):
    if name.isascii() and last.isascii():
        return name <= last
    return utf16_key(name) <= utf16_key(last)
