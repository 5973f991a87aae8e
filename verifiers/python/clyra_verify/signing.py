# SPDX-License-Identifier: Apache-2.0
"""Ed25519 as records.md §3 judges it, and DSSE's PAE."""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def _small_order_encodings():
    """The 14 encodings of points of small order, canonical or not: with them implementations disagree."""
    found = set()
    for first, middle, lasts in (
        ("00", "00", ("00", "80")),
        ("01", "00", ("00", "80")),
        ("ec", "ff", ("7f", "ff")),
        ("ed", "ff", ("7f", "ff")),
        ("ee", "ff", ("7f", "ff")),
    ):
        found.update(bytes.fromhex(first + middle * 30 + last) for last in lasts)
    for text, other in (
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "85"),
        ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "fa"),
    ):
        found.update((bytes.fromhex(text), bytes.fromhex(text[:-2] + other)))
    return frozenset(found)


SMALL_ORDER = _small_order_encodings()


def pae(payload_type, payload):
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


@lru_cache(maxsize=256)
def _key(raw):
    try:
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        return None


def signature_holds(public_key, signature, message):
    """Pure Ed25519 with S < L, and neither the key nor R of small order."""
    if public_key in SMALL_ORDER or signature[:32] in SMALL_ORDER:
        return False
    if int.from_bytes(signature[32:], "little") >= GROUP_ORDER:
        return False
    key = _key(public_key)
    if key is None:
        return False
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
