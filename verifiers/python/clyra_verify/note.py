# SPDX-License-Identifier: Apache-2.0
"""C2SP signed notes: checkpoints and cosignatures (bundle.md §5, trust.md §7)."""

import re

from .hashes import sha256
from .shapes import decode_base64, has_space_or_plus, is_origin, units

SIZE_MAX = 16384
LINES_MAX = 32
LINE_UNITS_MAX = 1024
PAYLOAD_MIN = 5
COSIGNATURE_SIZE_MAX = 1024
_SIZE = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")
_INTEGER_MAX = 9007199254740991
LOG_TYPE = b"\x01"
WITNESS_TYPE = b"\x04"


class SignatureLine:
    """`— <name> <base64>`: who says to have signed, and the bytes."""

    __slots__ = ("name", "payload")

    def __init__(self, name, payload):
        self.name = name
        self.payload = payload


class Note:
    """A checkpoint that has its shape."""

    __slots__ = ("origin", "size", "root", "text", "sealed", "lines")

    def __init__(self, origin, size, root):
        self.origin = origin
        self.size = size
        self.root = root
        self.text = b""
        self.sealed = b""
        self.lines = []


def read_signature_line(line):
    """A signature line without its LF, or None."""
    if not line.startswith("— ") or units(line) > LINE_UNITS_MAX:
        return None
    name, space, text = line[2:].partition(" ")
    payload = decode_base64(text)
    if not name or has_space_or_plus(name) or not space or payload is None or len(payload) < PAYLOAD_MIN:
        return None
    return SignatureLine(name, payload)


def read_note(data):
    """A note, or None where it has not its shape."""
    if len(data) > SIZE_MAX:
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not text.endswith("\n"):
        return None
    lines = text[:-1].split("\n")
    if len(lines) < 5 or not is_origin(lines[0]) or lines[3] != "" or not _SIZE.match(lines[1]):
        return None
    root = decode_base64(lines[2], 32)
    size = int(lines[1])
    signatures = [read_signature_line(line) for line in lines[4:]]
    if root is None or size > _INTEGER_MAX or None in signatures or len(signatures) > LINES_MAX:
        return None
    note = Note(lines[0], size, root)
    note.text = "".join(line + "\n" for line in lines[:3]).encode("utf-8")
    note.sealed = note.text + f"\n{lines[4]}\n".encode("utf-8")
    note.lines = signatures
    return note


def read_cosignature(data):
    """The one line of a file of cosignatures/, or None."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not text.endswith("\n") or "\n" in text[:-1]:
        return None
    return read_signature_line(text[:-1])


def key_hash(name, kind, raw):
    """The first four bytes by which a note names a key."""
    return sha256(name.encode("utf-8") + b"\n" + kind + raw)[:4]
