# SPDX-License-Identifier: Apache-2.0
"""RFC 8785 in the other direction: the canonical bytes of a value, and the numbers of documents that are no records."""

import math
import re

from .grammar import NUMBER, Fault, utf16_key

_JSON_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")
_DOUBLE_TEXT_MAX = 25
_SHORT = {0x22: '\\"', 0x5C: "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
_ESCAPES = {**{unit: f"\\u{unit:04x}" for unit in range(0x20)}, **_SHORT}


def canonical(value):
    """The canonical bytes of a record's value."""
    parts = []
    _write(value, parts)
    return "".join(parts).encode("utf-8")


def _write(value, parts):
    if value is None or value is True or value is False:
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int):
        parts.append(str(value))
    elif isinstance(value, str):
        parts.append(f'"{value.translate(_ESCAPES)}"')
    elif isinstance(value, dict):
        parts.append("{")
        for index, name in enumerate(sorted(value, key=utf16_key)):
            parts.append(f'{"," if index else ""}"{name.translate(_ESCAPES)}":')
            _write(value[name], parts)
        parts.append("}")
    else:
        parts.append("[")
        for index, item in enumerate(value):
            if index:
                parts.append(",")
            _write(item, parts)
        parts.append("]")


def read_double(token, byte):
    """A number of a policy document: exactly the text that RFC 8785 §3.2.2.3 writes for its double."""
    if len(token) > _DOUBLE_TEXT_MAX or not _JSON_NUMBER.match(token):
        raise Fault(NUMBER, byte)
    value = float(token)
    if not math.isfinite(value) or double_text(value) != token.decode("ascii"):
        raise Fault(NUMBER, byte)
    return value


def double_text(value):
    """ECMAScript's Number::toString; Python's repr has the same shortest digits, written otherwise."""
    if value == 0:
        return "0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or "0")
    digits = whole + (fraction if fraction != "0" else "")
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    return ("-" if value < 0 else "") + _place(digits, point)


def _place(digits, point):
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    exponent = point - 1
    tail = f"e{'+' if exponent > 0 else '-'}{abs(exponent)}"
    return f"{digits[0]}.{digits[1:]}{tail}" if count > 1 else f"{digits}{tail}"
