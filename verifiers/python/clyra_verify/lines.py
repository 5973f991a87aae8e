# SPDX-License-Identifier: Apache-2.0
"""Lines of a journal: reading them within bounds, and their shape (journal.md §1.1)."""

import re

from .grammar import Rules, ascending, parse
from .shapes import (
    decode_base64,
    is_closed,
    is_commitment,
    is_digest,
    is_half,
    is_int,
    is_list,
    is_object,
    is_position,
    is_text,
    units,
)

LINE_MAX = 65535
RULES = Rules(LINE_MAX)
DECISIONS = ("allow", "block", "hold")
OPERATIONS = ("insert", "update", "delete", "truncate", "ddl")
STATUSES = ("matched", "exceeded", "reused", "unattributed", "claimed_unproved")


class Raw:
    """A line as it stands: its bytes without LF where they are within the limit, else a long one's leaf hash."""

    __slots__ = ("data", "leaf", "terminated", "too_long")

    def __init__(self, data, leaf, terminated, too_long):
        self.data = data
        self.leaf = leaf
        self.terminated = terminated
        self.too_long = too_long


def split_lines(chunks, new_leaf, line_max=LINE_MAX):
    """Lines of a stream. Of a line beyond the limit only the hash is kept."""
    rest, hasher, long = b"", None, False
    for chunk in chunks:
        at = 0
        while at < len(chunk):
            end = chunk.find(b"\n", at)
            piece = chunk[at : end if end >= 0 else len(chunk)]
            at = end + 1 if end >= 0 else len(chunk)
            if not long:
                rest += piece
                if len(rest) > line_max:
                    hasher = new_leaf()
                    hasher.update(rest)
                    rest, long = b"", True
            else:
                hasher.update(piece)
            if end >= 0:
                yield Raw(rest, hasher.digest() if long else None, True, long)
                rest, hasher, long = b"", None, False
    if rest or long:
        yield Raw(rest, hasher.digest() if long else None, False, long)


class Shapeless(Exception):
    """A line that is a record but none of the shapes of journal.md §1.1."""


def parse_line(data):
    """The record of a line. Raises Fault."""
    return parse(data, RULES)


def replaced_leaf(value):
    """The leaf hash that stands for a replaced line of an export, or None."""
    if len(value) == 1 and is_digest(value.get("$leaf")):
        return value["$leaf"]
    return None


def has_shape(value):
    kind = value.get("kind")
    if not is_int(value.get("v")) or value["v"] != 0 or not is_text(kind):
        return False
    if kind == "decided":
        return _is_decided(value)
    if kind == "observed":
        return (
            is_closed(value, ("append_time", "kind", "observation", "v"))
            and is_int(value["append_time"])
            and _is_signed(value["observation"])
            and is_observation(value["observation"]["body"])
        )
    return kind == "matched" and _is_matched(value)


def _is_decided(value):
    if not is_closed(value, ("append_time", "change", "kind", "receipt", "v")) or not is_int(value["append_time"]):
        return False
    if not _is_signed(value["change"]) or not _is_change(value["change"]["body"]):
        return False
    receipt = value["receipt"]
    if not is_closed(receipt, ("body", "sig")) or not _is_receipt(receipt["body"]):
        return False
    if receipt["body"]["kind"] == "recorded":
        return receipt["sig"] is None
    return is_block(receipt["sig"])


def _is_signed(value):
    return is_closed(value, ("body", "sig")) and is_block(value["sig"]) and is_object(value["body"])


def is_block(value):
    return (
        is_closed(value, ("index", "key_id", "path", "sig", "size"))
        and is_int(value["index"])
        and is_int(value["size"])
        and is_half(value["key_id"])
        and is_list(value["path"], is_digest, 10)
        and decode_base64(value["sig"], 64) is not None
    )


def _is_version(value):
    return is_int(value.get("v")) and value["v"] == 0


def _is_change(body):
    if not _is_version(body) or not all(is_text(body.get(name)) for name in ("kind", "tenant", "event_id")):
        return False
    return body["kind"] != "run.opened" or "correlation" not in body or _is_correlation(body["correlation"])


def _is_correlation(value):
    return (
        is_closed(value, (), (*_PRINCIPALS, *_COMMITTED))
        and len(value) > 0
        and all(_is_partner_name(value[name]) or (name in _COMMITTED and is_commitment(value[name])) for name in value)
    )


_PRINCIPALS = ("actor_principal", "approver_principal")
_COMMITTED = ("client_app_id", "session_id")
_CONTROL = re.compile("[\0-\x1f\x7f]")


def _is_partner_name(value):
    return is_text(value) and 1 <= units(value) <= 256 and not _CONTROL.search(value)


def _is_receipt(body):
    if not is_object(body) or not _is_version(body) or body.get("kind") not in ("decided", "recorded"):
        return False
    if not all(is_text(body.get(name)) for name in ("change_kind", "event_id", "tenant")):
        return False
    if not is_half(body.get("receipt_id")) or not is_half(body.get("stream_id")):
        return False
    if not all(is_int(body.get(name)) for name in ("partition", "offset", "tenant_seq", "decided_at")):
        return False
    if not is_int(body.get("previous_offset"), -1):
        return False
    if not is_digest(body.get("tenant_prev")) or not is_digest(body.get("change_digest")):
        return False
    if not _is_run(body) or ("state_digest" in body and not is_digest(body["state_digest"])):
        return False
    return body["kind"] == "recorded" or _is_decision(body)


def _is_run(body):
    """`run_id`, `seq` and `prev` stand together or not at all."""
    if not any(name in body for name in ("run_id", "seq", "prev")):
        return True
    return is_text(body.get("run_id")) and is_int(body.get("seq")) and is_digest(body.get("prev"))


def _is_decision(body):
    if body.get("decision") not in DECISIONS or not is_int(body.get("engine")) or "policy_digest" not in body:
        return False
    if body["policy_digest"] is not None and not is_digest(body["policy_digest"]):
        return False
    if body["decision"] != "allow":
        return True
    if body["change_kind"] == "run.closed":
        return "run_id" in body and is_int(body.get("count"))
    if body["change_kind"] == "change.requested" and "grants" in body:
        return is_list(body["grants"], _is_grant)
    return True


def _is_grant(value):
    return (
        is_object(value)
        and is_digest(value.get("token_hash"))
        and is_text(value.get("source_id"))
        and is_list(value.get("relations"), is_text)
        and is_list(value.get("operations"), lambda one: is_text(one) and one in OPERATIONS)
        and is_int(value.get("rows_max"))
        and is_int(value.get("expires_at"))
    )


def is_observation(body):
    if not _is_version(body) or not all(is_text(body.get(name)) for name in ("kind", "tenant", "source_id")):
        return False
    judge = _OBSERVATIONS.get(body["kind"])
    return is_half(body.get("observation_id")) and (judge is None or judge(body))


def _all(body, names, judge):
    return all(judge(body.get(name)) for name in names)


def _is_transaction(body):
    return (
        is_text(body.get("system_id"))
        and _all(body, ("timeline", "committed_at"), is_int)
        and is_position(body.get("commit_end_lsn"))
        and is_list(body.get("relations"), is_touched)
        and is_list(body.get("token_hashes"), is_digest)
    )


def is_touched(value):
    """An entry of the relations of a transaction."""
    return (
        is_object(value)
        and _all(value, ("schema", "name"), is_text)
        and _all(value, ("inserts", "updates", "deletes", "truncates"), is_int)
        and is_int(value.get("ddl", 0))
    )


def _is_watermark(body):
    return _all(body, ("system_id", "lsn"), is_text) and _all(body, ("timeline", "covers_until"), is_int)


def _is_gap(body):
    return _all(body, ("from_lsn", "to_lsn", "reason"), is_text)


def _is_coverage(body):
    if not is_text(body.get("lsn")) or body.get("scope") not in ("all", "listed"):
        return False
    if not is_list(body.get("relations"), is_text, 512) or not ascending(body["relations"]):
        return False
    return is_list(body.get("blind_spots"), _is_blind_spot, 64)


def _is_blind_spot(value):
    return is_object(value) and is_text(value.get("code")) and is_text(value.get("relation", ""))


def _is_outage(body):
    numbers = ("failed_at", "detected_at", "restored_at", "changes_refused")
    return _all(body, ("component", "cause"), is_text) and _all(body, numbers, is_int)


def _is_document(body):
    return is_digest(body.get("sha256")) and is_int(body.get("size"))


_OBSERVATIONS = {
    "transaction": _is_transaction,
    "watermark": _is_watermark,
    "gap": _is_gap,
    "coverage": _is_coverage,
    "outage": _is_outage,
    "document": _is_document,
}
_MATCHED = ("event_id", "kind", "leaf", "observation_id", "reason", "receipt_id", "status", "token_hash", "v")


def _is_matched(value):
    return (
        is_closed(value, _MATCHED)
        and is_half(value["observation_id"])
        and is_int(value["leaf"])
        and is_text(value["status"])
        and value["status"] in STATUSES
        and is_text(value["reason"])
        and (value["event_id"] is None or is_text(value["event_id"]))
        and (value["receipt_id"] is None or is_half(value["receipt_id"]))
        and (value["token_hash"] is None or is_digest(value["token_hash"]))
    )


def body_bytes(data, body):
    """The canonical bytes of a body: the line is canonical, so they are those that stand in it."""
    return data[body.start : body.end]

