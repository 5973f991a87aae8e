# SPDX-License-Identifier: Apache-2.0
"""Reading journal.jsonl once: its digest, its trees, and its lines one after the other (verification.md §3 E 8, 11)."""

import hashlib

from .failure import place
from .grammar import Fault
from .hashes import CompactRange, leaf_hash
from .lines import LINE_MAX, Shapeless, has_shape, parse_line, replaced_leaf, split_lines

FILE = "journal.jsonl"


def new_leaf():
    return hashlib.sha256(b"\x00")


def cut_time(container):
    """append_time of the last line, if that line by itself has grammar and shape of a decided line, else None."""
    size = container.size(FILE)
    tail = container.read(FILE, max(0, size - LINE_MAX - 2), size)
    if not tail.endswith(b"\n"):
        return None
    start = tail.rfind(b"\n", 0, len(tail) - 1) + 1
    data = tail[start:-1]
    if start == 0 and len(tail) < size or len(data) > LINE_MAX:
        return None
    try:
        value = parse_line(data)
    except Fault:
        return None
    return value["append_time"] if has_shape(value) and value["kind"] == "decided" else None


class Line:
    """A line that has grammar and shape, with its bytes; `replaced` where only its leaf hash stands."""

    __slots__ = ("number", "data", "value", "replaced")

    def __init__(self, number, data, value, replaced):
        self.number = number
        self.data = data
        self.value = value
        self.replaced = replaced


class Journal:
    """The journal of a bundle: what it is as bytes and as a tree, while its lines are judged."""

    def __init__(self, container, manifest, is_full):
        self._container = container
        self._manifest = manifest
        # In head mode the root alone says of the bytes what digest and segments say again.
        self._hasher = hashlib.sha256() if is_full else None
        self._tree = CompactRange(manifest.start, manifest.frontier)
        self._segment = CompactRange()
        self._segments = 0
        self._wrong_segment = None
        self.size = 0
        self.count = 0
        self.unreadable = None

    def lines(self, claims):
        """The lines up to the first one without grammar or shape; all bytes and leaves are taken whatever happens."""
        readable = True
        for raw in split_lines(self._chunks(), new_leaf):
            self.count += 1
            line, leaf = None, raw.leaf
            if readable:
                line = self._read(raw, claims)
                readable = line is not None
            if leaf is None:
                leaf = leaf_hash(raw.data)
            if line is not None and line.replaced is not None:
                leaf = line.replaced
            self._take(leaf)
            if line is not None:
                yield line
        self.unreadable = not readable
        self._end_segment()

    def _chunks(self):
        for chunk in self._container.chunks(FILE):
            if self._hasher is not None:
                self._hasher.update(chunk)
            self.size += len(chunk)
            yield chunk

    def _read(self, raw, claims):
        number = self.count
        if raw.too_long or not raw.terminated:
            code = "CLY_LINE_TOO_LONG" if raw.too_long else "CLY_LINE_UNTERMINATED"
            claims.fail("integrity", code, place(FILE, line=number))
            return None
        try:
            value = parse_line(raw.data)
            leaf = replaced_leaf(value) if self._manifest.is_export else None
            if leaf is None and not has_shape(value):
                raise Shapeless
        except Fault as fault:
            claims.fail("integrity", fault.code, place(FILE, line=number, byte=fault.byte))
            return None
        except Shapeless:
            claims.fail("integrity", "CLY_LINE_SHAPE", place(FILE, line=number))
            return None
        return Line(number, raw.data, value, None if leaf is None else bytes.fromhex(leaf))

    def _take(self, leaf):
        self._tree.append(leaf)
        if self._hasher is None:
            return
        self._segment.append(leaf)
        if self._segment.size == self._manifest.journal["segment_lines"]:
            self._end_segment()

    def _end_segment(self):
        if self._segment.size == 0:
            return
        expected = self._manifest.journal["segments"]
        at = self._segments
        if self._wrong_segment is None and (at >= len(expected) or expected[at] != self._segment.root().hex()):
            self._wrong_segment = at
        self._segments += 1
        self._segment = CompactRange()

    def compare(self, claims):
        """E 11."""
        says = self._manifest.journal
        is_full = self._hasher is not None
        if is_full and self._hasher.hexdigest() != says["sha256"]:
            claims.fail("integrity", "CLY_BUNDLE_JOURNAL_DIGEST", place(FILE))
        if self.size != says["size"]:
            claims.fail("integrity", "CLY_BUNDLE_JOURNAL_SIZE", place(FILE))
        if self.count != says["lines"]:
            claims.fail("integrity", "CLY_BUNDLE_JOURNAL_LINES", place(FILE))
        if is_full and (self._wrong_segment is not None or self._segments != len(says["segments"])):
            first = self._wrong_segment if self._wrong_segment is not None else self._segments
            claims.fail("integrity", "CLY_BUNDLE_SEGMENT", place(FILE, line=first * says["segment_lines"] + 1))
        if self._tree.root() != self._manifest.root:
            claims.fail("integrity", "CLY_BUNDLE_ROOT", place("manifest.json", member="root"))
            claims.fail("completeness", "CLY_BUNDLE_ROOT", place("manifest.json", member="root"))
