# SPDX-License-Identifier: Apache-2.0
"""Small judgements of shape that every document needs. They answer yes or no; what a no means, the caller says."""

import base64
import re

from .grammar import Object

DIGEST = re.compile(r"[0-9a-f]{64}\Z")
HALF_DIGEST = re.compile(r"[0-9a-f]{32}\Z")
ORIGIN = re.compile(r"[!-*,-~]{1,512}\Z")
POSITION = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}\Z")
# White space where a name forbids it: the list of docs/spec/README.md.
_SPACE_OR_PLUS = re.compile("[+\t\n\v\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")


def is_text(value):
    return value.__class__ is str


def is_int(value, least=0):
    return value.__class__ is int and value >= least


def is_digest(value):
    return value.__class__ is str and DIGEST.match(value) is not None


def is_half(value):
    return value.__class__ is str and HALF_DIGEST.match(value) is not None


def is_position(value):
    return value.__class__ is str and POSITION.match(value) is not None


def is_origin(value):
    """Of a log: 1–512 bytes 21–7E without `+`."""
    return value.__class__ is str and ORIGIN.match(value) is not None


def is_object(value):
    return value.__class__ is Object


def is_closed(value, names, optional=()):
    """An object with exactly these members, the optional ones or not."""
    if value.__class__ is not Object:
        return False
    return all(name in value for name in names) and all(name in names or name in optional for name in value)


def is_commitment(value):
    return is_closed(value, ("$commit",)) and is_digest(value["$commit"])


def is_list(value, judge, most=None):
    if value.__class__ is not list or (most is not None and len(value) > most):
        return False
    return all(judge(item) for item in value)


def is_note_name(value):
    """The name of a signer of notes: 1–256 characters without white space or `+`."""
    return value.__class__ is str and 1 <= units(value) <= 256 and not _SPACE_OR_PLUS.search(value)


def has_space_or_plus(value):
    return _SPACE_OR_PLUS.search(value) is not None


def units(text):
    """Characters are counted in UTF-16 code units."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF) if not text.isascii() else len(text)


def decode_base64(text, size=None):
    """The bytes of base64 with padding, no white space and unused bits zero; None where it is not of that shape."""
    if text.__class__ is not str or not _BASE64.match(text):
        return None
    data = base64.b64decode(text)
    if size is not None and len(data) != size:
        return None
    if text.endswith("=") and base64.b64encode(data[-(len(data) % 3) :]).decode() != text[-4:]:
        return None
    return data


def position(text):
    """The number of a position X/Y."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)
