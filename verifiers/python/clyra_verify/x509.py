# SPDX-License-Identifier: Apache-2.0
"""Certificates of time-stamping authorities, as far as trust.md §6 asks: names, windows, purposes, signatures."""

import calendar
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes as digests
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .der import GENERALIZED_TIME, INTEGER, NotDer, OCTET_STRING, SEQUENCE, UTC_TIME, read_one

__all__ = ["Certificate", "NotDer", "UnsupportedAlgorithm", "nanoseconds", "read_certificate", "verify"]

_KEY_USAGE_EXTENDED = "2.5.29.37"
_BASIC_CONSTRAINTS = "2.5.29.19"
_SUBJECT_KEY_ID = "2.5.29.14"
RSA = "1.2.840.113549.1.1.1"
_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": digests.SHA256,
    "2.16.840.1.101.3.4.2.2": digests.SHA384,
    "2.16.840.1.101.3.4.2.3": digests.SHA512,
}
# Signature algorithms that name their digest.
_NAMED = {
    "1.2.840.113549.1.1.11": ("rsa", digests.SHA256),
    "1.2.840.113549.1.1.12": ("rsa", digests.SHA384),
    "1.2.840.113549.1.1.13": ("rsa", digests.SHA512),
    "1.2.840.10045.4.3.2": ("ec", digests.SHA256),
    "1.2.840.10045.4.3.3": ("ec", digests.SHA384),
    "1.2.840.10045.4.3.4": ("ec", digests.SHA512),
}
_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_UTC = re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z\Z")
_GENERALIZED = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{0,8}[1-9]))?Z\Z")
_RSA_BITS_MIN = 2048


class UnsupportedAlgorithm(Exception):
    """A digest or a key of a kind that these pages do not take."""


class Certificate:
    """The parts of a certificate that are asked for; `whole` is its bytes."""

    def __init__(self, whole):
        self.whole = whole
        self.issuer = self.subject = self.spki = self.tbs = self.signature = b""
        self.serial = 0
        self.algorithm = ""
        self.not_before = self.not_after = 0
        self.is_authority = False
        self.purposes = None
        self.purposes_critical = False
        self.subject_key_id = None


def read_certificate(data):
    """Raises NotDer for anything that is not one strict DER certificate."""
    one = Certificate(data)
    parts = read_one(data).expect(SEQUENCE).children()
    if len(parts) != 3:
        raise NotDer("certificate")
    one.tbs = parts[0].expect(SEQUENCE).whole
    one.algorithm = _algorithm(parts[1])
    one.signature = parts[2].bit_string()
    fields = parts[0].children()
    if fields and fields[0].tag == 0xA0:
        if fields[0].only_child(INTEGER).integer() not in (1, 2):
            raise NotDer("version")
        fields = fields[1:]
    if len(fields) < 6:
        raise NotDer("certificate")
    one.serial = fields[0].integer()
    if fields[1].whole != parts[1].whole:
        raise NotDer("two signature algorithms")
    one.issuer = fields[2].expect(SEQUENCE).whole
    window = fields[3].expect(SEQUENCE).children(UTC_TIME, GENERALIZED_TIME)
    if len(window) != 2:
        raise NotDer("validity")
    one.not_before, one.not_after = (nanoseconds(moment) for moment in window)
    one.subject = fields[4].expect(SEQUENCE).whole
    one.spki = fields[5].expect(SEQUENCE).whole
    for field in fields[6:]:
        if field.tag == 0xA3:
            _extensions(one, field.only_child(SEQUENCE))
    return one


def _algorithm(node):
    return node.expect(SEQUENCE).children()[0].oid() if node.expect(SEQUENCE).children() else ""


def _extensions(one, node):
    for extension in node.children(SEQUENCE):
        parts = extension.children()
        if not 2 <= len(parts) <= 3:
            raise NotDer("extension")
        name = parts[0].oid()
        critical = parts[1].boolean() if len(parts) == 3 else False
        content = parts[-1].expect(OCTET_STRING).content
        if name == _BASIC_CONSTRAINTS:
            inside = read_one(content).expect(SEQUENCE).children()
            one.is_authority = bool(inside) and inside[0].tag == 0x01 and inside[0].boolean()
        elif name == _KEY_USAGE_EXTENDED:
            one.purposes = [node.oid() for node in read_one(content).expect(SEQUENCE).children()]
            one.purposes_critical = critical
        elif name == _SUBJECT_KEY_ID:
            one.subject_key_id = read_one(content).expect(OCTET_STRING).content


def nanoseconds(node):
    """A time as nanoseconds since 1970; fractions only as RFC 3161 writes them."""
    match = (_UTC if node.tag == UTC_TIME else _GENERALIZED).match(node.content)
    if node.tag not in (UTC_TIME, GENERALIZED_TIME) or not match:
        raise NotDer("time")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if node.tag == UTC_TIME:
        year += 1900 if year >= 50 else 2000
    days = calendar.monthrange(year, month)[1] if 1 <= month <= 12 and year >= 1 else 0
    if not 1 <= day <= days or hour > 23 or minute > 59 or second > 59:
        raise NotDer("time")
    fraction = (match.group(7) or b"").ljust(9, b"0") if node.tag == GENERALIZED_TIME else b"0"
    return calendar.timegm((year, month, day, hour, minute, second)) * 10**9 + int(fraction)


def digest_of(oid):
    """The digest of an algorithm's name."""
    if oid not in _DIGESTS:
        raise UnsupportedAlgorithm(oid)
    return _DIGESTS[oid]()


def verify(certificate, algorithm, digest_algorithm, signature, message):
    """Whether a signature holds with a certificate's key; the digest is the one the algorithm names, if it names one."""
    if algorithm in _NAMED:
        family, digest = _NAMED[algorithm]
        digest = digest()
    elif algorithm == RSA and digest_algorithm is not None:
        family, digest = "rsa", digest_of(digest_algorithm)
    else:
        raise UnsupportedAlgorithm(algorithm)
    key = _public_key(certificate.spki)
    try:
        if family == "rsa" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), digest)
        elif family == "ec" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _public_key(spki):
    try:
        key = load_der_public_key(spki)
    except Exception:  # The package raises several kinds; each means that this key is none it can use.
        raise UnsupportedAlgorithm("public key") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS_MIN:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, (ec.SECP256R1, ec.SECP384R1)):
        return key
    raise UnsupportedAlgorithm("public key")
