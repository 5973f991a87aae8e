# SPDX-License-Identifier: Apache-2.0
"""Strict DER: definite, shortest lengths, low tag numbers, no trailing bytes. Nothing is guessed."""

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, SEQUENCE, SET, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x30, 0x31, 0x17, 0x18
_NESTING_MAX = 32


class NotDer(Exception):
    """Bytes that are no strict DER or not of the expected structure."""


class Node:
    """One element: its tag, its content, and all its bytes."""

    __slots__ = ("tag", "content", "whole")

    def __init__(self, tag, content, whole):
        self.tag = tag
        self.content = content
        self.whole = whole

    def children(self, *tags):
        """What stands inside a constructed element; of these tags only, if any are named."""
        if not self.tag & 0x20:
            raise NotDer("no constructed element")
        found = read_all(self.content)
        if tags and any(node.tag not in tags for node in found):
            raise NotDer("another element than expected")
        return found

    def expect(self, tag):
        if self.tag != tag:
            raise NotDer(f"tag {self.tag:#x}, expected {tag:#x}")
        return self

    def only_child(self, tag=None):
        children = self.children()
        if len(children) != 1:
            raise NotDer("not one element")
        return children[0] if tag is None else children[0].expect(tag)

    def integer(self):
        content = self.expect(INTEGER).content
        if not content or (len(content) > 1 and content[0] in (0x00, 0xFF) and (content[0] ^ content[1]) < 0x80):
            raise NotDer("integer not in its shortest form")
        return int.from_bytes(content, "big", signed=True)

    def boolean(self):
        content = self.expect(BOOLEAN).content
        if content not in (b"\x00", b"\xff"):
            raise NotDer("boolean")
        return content == b"\xff"

    def oid(self):
        content = self.expect(OID).content
        if not content or content[-1] & 0x80:
            raise NotDer("object identifier")
        arcs, value, fresh = [], 0, True
        for byte in content:
            if fresh and byte == 0x80:
                raise NotDer("object identifier")
            value = (value << 7) | (byte & 0x7F)
            fresh = not byte & 0x80
            if fresh:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))

    def bit_string(self):
        """The bytes of a bit string without unused bits."""
        content = self.expect(BIT_STRING).content
        if not content or content[0] != 0:
            raise NotDer("bit string with unused bits")
        return content[1:]


def read_one(data):
    """The only element of these bytes, everything in it checked."""
    found = read_all(data)
    if len(found) != 1:
        raise NotDer("not exactly one element")
    _check(found[0], 0)
    return found[0]


def read_all(data):
    found, at = [], 0
    while at < len(data):
        node, at = _read(data, at)
        found.append(node)
    return found


def _check(node, depth):
    if depth > _NESTING_MAX:
        raise NotDer("nested too deep")
    if node.tag & 0x20:
        for child in read_all(node.content):
            _check(child, depth + 1)


def _read(data, at):
    start = at
    if at + 2 > len(data):
        raise NotDer("cut short")
    tag, length = data[at], data[at + 1]
    at += 2
    if tag & 0x1F == 0x1F or tag == 0:
        raise NotDer("tag")
    if length >= 0x80:
        count = length & 0x7F
        digits = data[at : at + count]
        if not 1 <= count <= 4 or len(digits) != count or digits[0] == 0:
            raise NotDer("length")
        length = int.from_bytes(digits, "big")
        if length < 0x80:
            raise NotDer("length not in its shortest form")
        at += count
    end = at + length
    if end > len(data):
        raise NotDer("cut short")
    return Node(tag, data[at:end], data[start:end]), end
