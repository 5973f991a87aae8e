# SPDX-License-Identifier: Apache-2.0
"""DSSE envelopes over in-toto statements (bundle.md §6, statements.md §1)."""

from .grammar import Fault, Rules, ascending, parse
from .shapes import decode_base64, is_closed, is_digest, is_int, is_list, is_object, is_text
from .signing import pae

SIZE_MAX = 1048576
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
BUNDLE_PREDICATE = "https://clyra.dev/bundle/v0"
EXPORT_PREDICATE = "https://clyra.dev/export/v0"
REPLAY_PREDICATE = "https://clyra.dev/replay/v0"
RULES = Rules(SIZE_MAX, free_names=True)


class Shapeless(Exception):
    """An envelope that is JSON, but none of its shape."""


class Envelope:
    """What an envelope says, and what its signature is over."""

    __slots__ = ("signature", "signed", "predicate_type", "predicate", "subjects")

    def __init__(self, signature, signed, statement):
        self.signature = signature
        self.signed = signed
        self.predicate_type = statement["predicateType"]
        self.predicate = statement["predicate"]
        self.subjects = statement["subject"]

    def manifest_digest(self):
        return self.subjects[0]["digest"]["sha256"]


def read_envelope(data, is_predicate, one_subject=True):
    """Raises Fault for the grammar of the envelope itself and Shapeless for everything else."""
    value = parse(data, RULES)
    if not is_closed(value, ("payload", "payloadType", "signatures")) or value["payloadType"] != PAYLOAD_TYPE:
        raise Shapeless("payload, payloadType or signatures")
    payload = decode_base64(value["payload"])
    signatures = value["signatures"]
    if payload is None or not is_list(signatures, _is_signature, 1) or len(signatures) != 1:
        raise Shapeless("payload or signatures")
    try:
        statement = parse(payload, RULES)
    except Fault as fault:
        raise Shapeless(f"payload: {fault.code} at byte {fault.byte}") from None
    if not _is_statement(statement, one_subject) or not is_predicate(statement["predicate"]):
        raise Shapeless("statement")
    return Envelope(decode_base64(signatures[0]["sig"]), pae(PAYLOAD_TYPE, payload), statement)


def _is_signature(value):
    return is_closed(value, ("keyid", "sig")) and value["keyid"] == "" and decode_base64(value["sig"], 64) is not None


def _is_statement(value, one_subject):
    if not is_closed(value, ("_type", "predicate", "predicateType", "subject")) or value["_type"] != STATEMENT_TYPE:
        return False
    subjects = value["subject"]
    if not is_text(value["predicateType"]) or not is_list(subjects, _is_subject) or not subjects:
        return False
    return subjects[0]["name"] == "manifest.json" and (len(subjects) == 1 or not one_subject)


def _is_subject(value):
    return (
        is_closed(value, ("digest", "name"))
        and is_text(value["name"])
        and is_closed(value["digest"], ("sha256",))
        and is_digest(value["digest"]["sha256"])
    )


def is_range(value):
    return is_closed(value, ("end", "start")) and is_int(value["start"]) and is_int(value["end"])


def is_any_predicate(value):
    """That of manifest.dsse.json is compared with the manifest as a whole, later."""
    return is_object(value)


_REPLAY_NAMES = (
    "kind",
    "result",
    "range",
    "origin",
    "engine",
    "compared",
    "not_compared",
    "first_difference",
    "inputs",
    "performer",
)


def is_replay_predicate(value):
    if not is_closed(value, _REPLAY_NAMES) or value["kind"] not in ("reperformance", "data"):
        return False
    if value["result"] not in ("success", "partial", "failed") or not is_text(value["origin"]):
        return False
    if not is_range(value["range"]) or not is_int(value["engine"]) or not _is_compared(value["compared"]):
        return False
    if not is_list(value["inputs"], is_digest) or not ascending(value["inputs"]):
        return False
    return _is_not_compared(value["not_compared"]) and _is_difference(value["first_difference"]) and is_named(value["performer"])


def is_named(value):
    return is_closed(value, ("name", "version")) and is_text(value["name"]) and is_text(value["version"])


def _is_compared(value):
    def is_entry(entry):
        return is_closed(entry, ("count", "what")) and is_int(entry["count"]) and is_text(entry["what"])

    return is_list(value, is_entry) and ascending(entry["what"] for entry in value)


def _is_not_compared(value):
    def is_entry(entry):
        named = is_closed(entry, ("code", "count", "first")) and is_text(entry["code"]) and is_text(entry["first"])
        return named and is_int(entry["count"])

    return is_list(value, is_entry) and ascending(entry["code"] for entry in value)


def _is_difference(value):
    if value is None:
        return True
    named = is_closed(value, ("leaf", "member")) and is_text(value["member"])
    return named and (value["leaf"] is None or is_int(value["leaf"]))
