# SPDX-License-Identifier: Apache-2.0
"""trust-root.json: its shape (trust.md §1). It is passed by the reader, never taken from a bundle."""

import re

from . import x509
from .failure import Malformed, place
from .grammar import Fault, Rules, parse
from .hashes import half, sha256_hex
from .shapes import decode_base64, is_closed, is_digest, is_int, is_list, is_note_name, is_text, units

SIZE_MAX = 1048576
_RULES = Rules(SIZE_MAX, depth_max=8, white_space=True, free_order=True)
_LOG_ORIGIN = re.compile(r"[a-z0-9][a-z0-9./-]{0,399}\Z")
ROLES = frozenset(
    "root log bundler attestor enforcer intake recorder operator policy_author policy_approver approver witness delegator".split()
)
_NAMES = ("format", "version", "expires_at", "log_origin", "single_operator", "keys")
_OPTIONAL = ("history", "issued_at", "thresholds", "time_authorities")
_KEY_NAMES = ("key_id", "alg", "public_key", "roles", "subject", "operator", "valid_from", "valid_to")
_AUTHORITY_NAMES = ("name", "operator", "certificate", "valid_from", "valid_to")
_THRESHOLDS = ("root", "tsa", "witness")
_VERSIONS_MAX = 1024
_KEYS_MAX = 1024
_AUTHORITIES_MAX = 32
_CERTIFICATE_BYTES_MAX = 8192


class Key:
    """A key of the trust root."""

    __slots__ = ("key_id", "alg", "raw", "roles", "subject", "operator", "valid_from", "valid_to", "name", "revoked_at")

    def __init__(self, entry):
        self.key_id = entry["key_id"]
        self.alg = entry["alg"]
        self.raw = decode_base64(entry["public_key"])
        self.roles = frozenset(entry["roles"])
        self.subject = entry["subject"]
        self.operator = entry["operator"]
        self.valid_from = entry["valid_from"]
        self.valid_to = entry["valid_to"]
        self.name = entry.get("name")
        self.revoked_at = entry.get("revoked_at")


class TimeAuthority:
    """Somebody whose word about time the reader accepts."""

    __slots__ = ("name", "operator", "certificate", "valid_from", "valid_to", "revoked_at")

    def __init__(self, entry):
        self.name = entry["name"]
        self.operator = entry["operator"]
        self.certificate = _certificate(entry["certificate"])
        self.valid_from = entry["valid_from"]
        self.valid_to = entry["valid_to"]
        self.revoked_at = entry.get("revoked_at")


class TrustRoot:
    """A trust root that has its shape."""

    def __init__(self, data, value):
        self.digest = sha256_hex(data)
        self.version = value["version"]
        self.history = list(value.get("history", ()))
        self.expires_at = value["expires_at"]
        self.log_origin = value["log_origin"]
        self.single_operator = value["single_operator"]
        thresholds = value.get("thresholds", {"root": 1, "tsa": 1, "witness": 1})
        self.tsa_threshold = thresholds["tsa"]
        self.witness_threshold = thresholds["witness"]
        self.keys = [Key(entry) for entry in value["keys"]]
        self.by_id = {key.key_id: key for key in self.keys}
        self.authorities = [TimeAuthority(entry) for entry in value.get("time_authorities", ())]

    def versions(self):
        """The digests of all versions up to this one, in order."""
        return [*self.history, self.digest]


def read_trust_root(data):
    try:
        value = parse(data, _RULES)
    except Fault as fault:
        raise Malformed("CLY_TRUST_ROOT_SHAPE", place("trust-root.json", byte=fault.byte), fault.code) from None
    if not _has_shape(value):
        raise Malformed("CLY_TRUST_ROOT_SHAPE", place("trust-root.json"), "a member is missing, too many or of another type")
    return TrustRoot(data, value)


def _has_shape(value):
    if not is_closed(value, _NAMES, _OPTIONAL) or value["format"] != "clyra/trust-root/v0":
        return False
    if not is_int(value["version"], 1) or value["version"] > _VERSIONS_MAX:
        return False
    history = value.get("history", [])
    if "history" not in value and value["version"] != 1:
        return False
    if not is_list(history, is_digest) or len(history) != value["version"] - 1:
        return False
    if not is_int(value["expires_at"]) or not is_int(value.get("issued_at", 0)):
        return False
    if not is_text(value["log_origin"]) or not _LOG_ORIGIN.match(value["log_origin"]):
        return False
    if value["single_operator"].__class__ is not bool or not _thresholds(value):
        return False
    authorities = value.get("time_authorities", [])
    return (
        is_list(value["keys"], _is_key, _KEYS_MAX)
        and _unique(value["keys"], "key_id")
        and is_list(authorities, _is_authority, _AUTHORITIES_MAX)
        and _unique(authorities, "name")
    )


def _thresholds(value):
    if "thresholds" not in value:
        return True
    thresholds = value["thresholds"]
    return is_closed(thresholds, _THRESHOLDS) and all(is_int(n, 1) and n <= 32 for n in thresholds.values())


def _unique(entries, name):
    return len({entry[name] for entry in entries}) == len(entries)


def _window_and_end(entry):
    if not is_int(entry["valid_from"]) or not is_int(entry["valid_to"]) or entry["valid_from"] > entry["valid_to"]:
        return False
    if ("revoked_at" in entry) != ("reason" in entry):
        return False
    if "revoked_at" not in entry:
        return True
    return is_int(entry["revoked_at"]) and is_text(entry["reason"]) and 1 <= units(entry["reason"]) <= 256


def _is_key(entry):
    if not is_closed(entry, _KEY_NAMES, ("name", "revoked_at", "reason")):
        return False
    raw = decode_base64(entry["public_key"], 32)
    roles = entry["roles"]
    if raw is None or entry["key_id"] != half(raw) or not _filled(entry["alg"]):
        return False
    if not is_list(roles, lambda role: is_text(role) and role in ROLES) or len(set(roles)) != len(roles):
        return False
    if ("witness" in roles) != ("name" in entry) or ("name" in entry and not is_note_name(entry["name"])):
        return False
    return _filled(entry["subject"]) and _filled(entry["operator"]) and _window_and_end(entry)


def _is_authority(entry):
    if not is_closed(entry, _AUTHORITY_NAMES, ("revoked_at", "reason")):
        return False
    data = decode_base64(entry["certificate"])
    if data is None or len(data) > _CERTIFICATE_BYTES_MAX:
        return False
    return _filled(entry["name"]) and _filled(entry["operator"]) and _window_and_end(entry)


def _filled(value):
    return is_text(value) and 1 <= units(value) <= 256


def _certificate(text):
    """What cannot be read issues nothing."""
    try:
        return x509.read_certificate(decode_base64(text))
    except x509.NotDer:
        return None
