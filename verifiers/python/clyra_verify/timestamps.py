# SPDX-License-Identifier: Apache-2.0
"""RFC 3161 tokens over the sealed checkpoint (trust.md §6)."""

import hashlib
import re

from .der import GENERALIZED_TIME, INTEGER, NotDer, OCTET_STRING, OID, SEQUENCE, SET, read_one
from .x509 import RSA, UnsupportedAlgorithm, digest_of, nanoseconds, read_certificate, verify

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
_HASHES = {_SHA256: "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
CERTIFICATES_MAX = 8
CHAIN_MAX = 5
_BEFORE_CUT_MS = 300000


class TokenFault(Exception):
    """What is wrong with a token."""

    def __init__(self, code, message=""):
        super().__init__(message)
        self.code = code


class Foreign(Exception):
    """A sound token of an authority that the reader did not name: it says nothing."""


class Token:
    """The parts of a TimeStampResp."""

    def __init__(self):
        self.info = b""
        self.certificates = []
        self.sid = self.attributes = None
        self.attributes_whole = b""
        self.digest_algorithm = self.signature_algorithm = ""
        self.signature = b""
        self.time = 0
        self.accuracy = 0


def judge_token(data, sealed_digest, authorities, cut_time):
    """(authority, upper bound in ms), or raises TokenFault or Foreign."""
    try:
        token = _read(data)
        _read_info(token, sealed_digest)
        signer = _read_attributes(token)
        _check_signature(token, signer)
        authority, chain = _chain(signer, token.certificates, authorities)
    except NotDer as error:
        raise TokenFault("CLY_TIME_TOKEN", str(error)) from None
    except UnsupportedAlgorithm as error:
        raise TokenFault("CLY_TIME_ALGORITHM", str(error)) from None
    if signer.purposes != [_TIME_STAMPING] or not signer.purposes_critical:
        raise TokenFault("CLY_TSA_PURPOSE")
    _check_windows(token, authority, chain)
    upper = -(-(token.time + token.accuracy) // 10**6)
    if cut_time is not None and upper < cut_time - _BEFORE_CUT_MS:
        raise TokenFault("CLY_TIME_BEFORE_CUT")
    return authority, upper


def _need(holds, what):
    if not holds:
        raise NotDer(what)


def _read(data):
    token = Token()
    response = read_one(data).expect(SEQUENCE).children()
    _need(len(response) == 2, "no token")
    status = response[0].expect(SEQUENCE).children()
    _need(bool(status) and status[0].integer() in (0, 1), "not granted")
    content = response[1].expect(SEQUENCE).children()
    _need(len(content) == 2 and content[0].oid() == _SIGNED_DATA, "no signed data")
    parts = content[1].expect(0xA0).only_child(SEQUENCE).children()
    _need(len(parts) >= 4 and parts[0].integer() == 3, "version of signed data")
    parts[1].expect(SET).children(SEQUENCE)
    inside = parts[2].expect(SEQUENCE).children()
    _need(len(inside) == 2 and inside[0].oid() == _TST_INFO, "content")
    token.info = inside[1].expect(0xA0).only_child(OCTET_STRING).content
    rest = parts[3:]
    _need(rest[0].tag == 0xA0, "no certificates")
    certificates = rest[0].children(SEQUENCE)
    _need(1 <= len(certificates) <= CERTIFICATES_MAX, "number of certificates")
    token.certificates = [read_certificate(node.whole) for node in certificates]
    rest = rest[1:]
    if rest and rest[0].tag == 0xA1:
        rest = rest[1:]
    _need(len(rest) == 1, "signer infos")
    _read_signer(token, rest[0].expect(SET).only_child(SEQUENCE).children())
    return token


def _read_signer(token, parts):
    _need(len(parts) in (6, 7), "signer info")
    version = parts[0].integer()
    token.sid = parts[1]
    _need((version, token.sid.tag) in ((1, SEQUENCE), (3, 0x80)), "version of the signer info")
    token.digest_algorithm = _algorithm(parts[2])
    _need(parts[3].tag == 0xA0, "no signed attributes")
    token.attributes = {}
    for node in parts[3].children(SEQUENCE):
        pair = node.children()
        _need(len(pair) == 2, "attribute")
        name = pair[0].oid()
        _need(name not in token.attributes, "attribute twice")
        token.attributes[name] = pair[1].expect(SET).only_child()
    token.attributes_whole = b"\x31" + parts[3].whole[1:]
    token.signature_algorithm = _algorithm(parts[4])
    token.signature = parts[5].expect(OCTET_STRING).content
    _need(len(parts) == 6 or parts[6].tag == 0xA1, "unsigned attributes")


def _algorithm(node):
    parts = node.expect(SEQUENCE).children()
    _need(1 <= len(parts) <= 2, "algorithm")
    return parts[0].oid()


def _read_info(token, sealed_digest):
    fields = read_one(token.info).expect(SEQUENCE).children()
    _need(len(fields) >= 5 and fields[0].integer() == 1, "version of the time-stamp")
    fields[1].expect(OID)
    imprint = fields[2].expect(SEQUENCE).children()
    _need(len(imprint) == 2, "imprint")
    if _algorithm(imprint[0]) != _SHA256:
        raise TokenFault("CLY_TIME_ALGORITHM")
    if imprint[1].expect(OCTET_STRING).content != sealed_digest:
        raise TokenFault("CLY_TIME_IMPRINT")
    fields[3].integer()
    token.time = nanoseconds(fields[4].expect(GENERALIZED_TIME))
    rest = fields[5:]
    if rest and rest[0].tag == SEQUENCE:
        token.accuracy = _accuracy(rest[0])
        rest = rest[1:]
    for tag in (0x01, INTEGER, 0xA0):
        if rest and rest[0].tag == tag:
            rest = rest[1:]
    if rest and rest[0].tag == 0xA1:
        _refuse_critical(rest[0])
        rest = rest[1:]
    _need(not rest, "members of the time-stamp")


def _refuse_critical(node):
    for extension in node.children(SEQUENCE):
        parts = extension.children()
        _need(2 <= len(parts) <= 3, "extension")
        _need(len(parts) == 2 or not parts[1].boolean(), "critical extension")


def _accuracy(node):
    """Seconds, milliseconds, microseconds, in nanoseconds."""
    total, last = 0, -1
    for child in node.children(INTEGER, 0x80, 0x81):
        index = (INTEGER, 0x80, 0x81).index(child.tag)
        _need(index > last and len(child.content) > 0, "accuracy")
        last = index
        value = int.from_bytes(child.content, "big", signed=True)
        _need(value >= 0 and (index == 0 or 1 <= value <= 999), "accuracy")
        total += value * (10**9, 10**6, 10**3)[index]
    return total


def _read_attributes(token):
    """The signing certificate that the signed attributes name."""
    attributes = token.attributes
    content_type, digest = attributes.get(_CONTENT_TYPE), attributes.get(_MESSAGE_DIGEST)
    _need(content_type is not None and content_type.oid() == _TST_INFO, "content type")
    algorithm = _hash_name(token.digest_algorithm)
    _need(digest is not None, "message digest")
    _need(digest.expect(OCTET_STRING).content == hashlib.new(algorithm, token.info).digest(), "message digest")
    named = _named_certificate(attributes)
    for certificate in token.certificates:
        if hashlib.new(named[0], certificate.whole).digest() == named[1]:
            _need(_is_signer(token.sid, certificate), "signer")
            return certificate
    raise NotDer("the signing certificate is not in the token")


def _hash_name(oid):
    if oid not in _HASHES:
        raise UnsupportedAlgorithm(oid)
    return _HASHES[oid]


def _named_certificate(attributes):
    """The hash, and its value, of the first certificate of signingCertificateV2, or else of signingCertificate."""
    node = attributes.get(_SIGNING_CERTIFICATE_V2)
    is_second = node is not None
    node = node if is_second else attributes.get(_SIGNING_CERTIFICATE)
    _need(node is not None, "no signing certificate")
    sequence = node.expect(SEQUENCE).children()
    _need(len(sequence) in (1, 2), "signing certificate")
    identities = sequence[0].expect(SEQUENCE).children(SEQUENCE)
    _need(bool(identities), "signing certificate")
    parts = identities[0].children()
    name = "sha256" if is_second else "sha1"
    if is_second and parts and parts[0].tag == SEQUENCE:
        name = _hash_name(_algorithm(parts[0]))
        parts = parts[1:]
    _need(len(parts) in (1, 2), "signing certificate")
    return name, parts[0].expect(OCTET_STRING).content


def _is_signer(sid, certificate):
    if sid.tag == 0x80:
        return sid.content == certificate.subject_key_id
    parts = sid.children()
    return len(parts) == 2 and parts[0].whole == certificate.issuer and parts[1].integer() == certificate.serial


def _check_signature(token, signer):
    digest_of(token.digest_algorithm)
    algorithm = token.signature_algorithm
    named = token.digest_algorithm if algorithm == RSA else None
    if not verify(signer, algorithm, named, token.signature, token.attributes_whole):
        raise TokenFault("CLY_TIME_SIGNATURE")


def _chain(signer, certificates, authorities):
    """The first authority in the order of the file that the signing certificate leads to, and the chain."""
    unsupported = None
    for authority in authorities:
        if authority.certificate is None:
            continue
        try:
            chain = _path([signer], certificates, authority.certificate)
        except UnsupportedAlgorithm as error:
            unsupported = unsupported or error
            continue
        if chain is not None:
            return authority, chain
    if unsupported is not None:
        raise unsupported
    raise Foreign


def _path(chain, certificates, anchor):
    last = chain[-1]
    if last.whole == anchor.whole:
        return chain
    if len(chain) >= CHAIN_MAX:
        return None
    if anchor.is_authority and last.issuer == anchor.subject and verify(anchor, last.algorithm, None, last.signature, last.tbs):
        return [*chain, anchor]
    for candidate in certificates:
        if candidate.subject != last.issuer or not candidate.is_authority:
            continue
        if any(candidate.whole == before.whole for before in chain):
            continue
        if verify(candidate, last.algorithm, None, last.signature, last.tbs):
            found = _path([*chain, candidate], certificates, anchor)
            if found is not None:
                return found
    return None


def _check_windows(token, authority, chain):
    moment = token.time
    inside = all(one.not_before <= moment <= one.not_after for one in chain)
    if not inside or not authority.valid_from * 10**6 <= moment <= authority.valid_to * 10**6:
        raise TokenFault("CLY_TSA_WINDOW")
    if authority.revoked_at is not None and moment >= authority.revoked_at * 10**6:
        raise TokenFault("CLY_TSA_WINDOW")


_NAME = re.compile(r"times/([0-9a-f]{64})\.tsr\Z")


def digest_in_name(name):
    return _NAME.match(name).group(1)
