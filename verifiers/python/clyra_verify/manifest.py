# SPDX-License-Identifier: Apache-2.0
"""manifest.json: its shape (bundle.md §3, §8; verification.md §3 C). What the files say instead is compared later."""

import re

from .envelope import is_named
from .failure import Malformed, OtherVersion, place
from .grammar import Fault, Rules, ascending, parse
from .shapes import is_closed, is_digest, is_half, is_int, is_list, is_object, is_origin, is_text

SIZE_MAX = 1048576
BUNDLE = "clyra/bundle/v0"
EXPORT = "clyra/export/v0"
RULES = Rules(SIZE_MAX)
PROFILES = ("def/v0", "pef/v0")
_OTHER_VERSION = re.compile(r"clyra/(?:bundle|export)/v[0-9]+\Z")
SEPARATIONS = ("none", "processes", "operators")
KINDS = ("policy", "state", "ledger", "document")

_COMMON = ("format", "tenant", "stream_id", "origin", "range", "root", "frontier", "cut", "journal", "artifacts")
_COMMON += ("trust_root", "separation", "producer")
_BUNDLE_ONLY = ("profiles", "opening_state", "opening_ledger", "closing_ledger", "documents", "policies", "engine", "runs")
_BUNDLE_ONLY += ("decisions", "reconciliation", "coverage", "gaps", "outages", "governance", "performance", "cost")
_BUNDLE_ONLY += ("security", "bundle_log", "previous_manifest")

COUNTS = {
    "decisions": ("allow", "block", "hold", "recorded"),
    "documents": ("named", "held"),
    "cost": ("payload_bytes", "payload_bytes_allowed", "transactions", "rows_written"),
}
GOVERNANCE = {
    "reliability": (
        *("outcomes_done", "outcomes_failed", "outcomes_returned", "outcomes_other"),
        *("gaps", "outages", "outage_ms", "changes_refused"),
    ),
    "transparency": ("requests", "requests_in_runs", "refused", "refused_unexplained", "accesses"),
    "accuracy": ("schema_valid", "schema_invalid", "schema_not_required", "schema_not_checked", "content_refused"),
    "oversight": (
        *("held", "superseding", "reviewed_only", "approvals_granted", "approvals_revoked", "emergencies_reviewed"),
        *("kill_switches_engaged", "kill_switches_lifted", "policies_activated", "engines_activated", "changes_resolved"),
    ),
}
STATUSES = ("matched", "exceeded", "reused", "unattributed", "claimed_unproved")
RECONCILIATION_COUNTS = ("observations", "guarded", *STATUSES, "unjudged", "grants_forgotten", "unobserved", "pending", "grants_unused")


class Artifact:
    __slots__ = ("kind", "sha256", "size", "sound")

    def __init__(self, entry):
        self.kind = entry["kind"]
        self.sha256 = entry["sha256"]
        self.size = entry["size"]
        self.sound = False


class Manifest:
    """A manifest that has its shape; `value` is what it says."""

    def __init__(self, value, digest):
        self.value = value
        self.digest = digest
        self.is_export = value["format"] == EXPORT
        self.tenant = value["tenant"]
        self.stream_id = value["stream_id"]
        self.origin = value["origin"]
        self.start = value["range"]["start"]
        self.end = value["range"]["end"]
        self.root = bytes.fromhex(value["root"])
        self.frontier = [bytes.fromhex(node) for node in value["frontier"]]
        self.partition = value["cut"]["partition"]
        self.journal = value["journal"]
        self.artifacts = [Artifact(entry) for entry in value["artifacts"]]
        self.separation = value["separation"]


def names_export(data):
    """Whether these bytes are a record whose format is that of an export, of whatever version (§3 B)."""
    try:
        value = parse(data, RULES)
    except Fault:
        return False
    return is_text(value.get("format")) and value["format"].startswith("clyra/export/")


def read_manifest(data, digest):
    try:
        value = parse(data, RULES)
    except Fault as fault:
        raise Malformed(fault.code, place("manifest.json", byte=fault.byte)) from None
    name = value.get("format")
    if is_text(name) and name not in (BUNDLE, EXPORT) and _OTHER_VERSION.match(name):
        raise OtherVersion(f"the manifest is of {name}")
    wrong = _shape_fault(value)
    if wrong is not None:
        raise Malformed("CLY_MANIFEST_SHAPE", place("manifest.json", member=wrong))
    for profile in value.get("profiles", ()):
        if profile not in PROFILES:
            raise OtherVersion(f"the bundle has the profile {profile}")
    return Manifest(value, digest)


def _shape_fault(value):
    """The member that has not its shape, or None."""
    is_export = value.get("format") == EXPORT
    if not is_export and value.get("format") != BUNDLE:
        return "format"
    names = (*_COMMON, "export") if is_export else (*_COMMON, *_BUNDLE_ONLY)
    for name in names:
        if name not in value:
            return name
    for name in value:
        if name not in names:
            return name
    for name in names:
        if name != "format" and not _MEMBERS[name](value[name]):
            return name
    return _first_false(_rules(value, is_export))


def _rules(value, is_export):
    """What holds between members."""
    start, end = value["range"]["start"], value["range"]["end"]
    journal = value["journal"]
    yield "range", start < end
    yield "origin", value["origin"].endswith("/" + value["tenant"])
    yield "frontier", len(value["frontier"]) == start.bit_count()
    yield "journal", journal["lines"] == end - start and _segments(journal)
    if is_export:
        return
    for name in ("opening_state", "opening_ledger", "previous_manifest"):
        yield name, (value[name] is None) == (start == 0)
    log = value["bundle_log"]
    yield "bundle_log", len(log["frontier"]) == log["number"].bit_count()


def _segments(journal):
    lines, size = journal["lines"], 64
    while lines // size >= 8192:
        size *= 2
    return journal["segment_lines"] == size and len(journal["segments"]) == -(-lines // size)


def _first_false(pairs):
    return next((name for name, holds in pairs if not holds), None)


def _or_null(judge):
    return lambda value: value is None or judge(value)


def _closed_ints(names):
    return lambda value: is_closed(value, names) and all(is_int(value[name]) for name in names)


def _entries(judges, most=None):
    """A list of closed objects whose members have these types."""

    def is_entry(entry):
        return is_closed(entry, tuple(judges)) and all(judge(entry[name]) for name, judge in judges.items())

    return lambda value: is_list(value, is_entry, most)


def _of(judges):
    """A closed object whose members have these types."""
    return lambda value: is_closed(value, tuple(judges)) and all(judge(value[name]) for name, judge in judges.items())


def _one_of(*values):
    return lambda value: is_text(value) and value in values


def _artifacts(value):
    return _ARTIFACTS(value) and ascending(entry["sha256"] for entry in value)


_ARTIFACTS = _entries({"kind": _one_of(*KINDS), "sha256": is_digest, "size": is_int}, 4096)
_SCOPES = {
    "run": _of({"kind": is_text, "run_id": is_text, "next_seq": is_int, "head": is_digest}),
    "selection": _of({"kind": is_text}),
}


def _scope(value):
    kind = value.get("kind") if is_object(value) else None
    return is_text(kind) and kind in _SCOPES and _SCOPES[kind](value)


_LATENCY = _closed_ints(("count", "max_ms", "sum_ms"))
_MEMBERS = {
    "tenant": is_text,
    "stream_id": is_half,
    "origin": is_origin,
    "range": _closed_ints(("start", "end")),
    "root": is_digest,
    "frontier": lambda value: is_list(value, is_digest, 53),
    "cut": _of({"kind": is_text, "offset": is_int, "partition": is_int, "state_digest": is_digest, "receipt_id": is_half}),
    "journal": _of(
        {
            **{"sha256": is_digest, "size": is_int, "lines": is_int, "segment_lines": is_int},
            "segments": lambda value: is_list(value, is_digest, 8192),
        }
    ),
    "artifacts": _artifacts,
    "trust_root": is_digest,
    "separation": _one_of(*SEPARATIONS),
    "producer": is_named,
    "export": _of({"of": is_digest, "scope": _scope}),
    "profiles": lambda value: is_list(value, is_text, 16),
    "opening_state": _or_null(is_digest),
    "opening_ledger": _or_null(is_digest),
    "closing_ledger": is_digest,
    "documents": _closed_ints(COUNTS["documents"]),
    "policies": lambda value: is_list(value, is_digest, 4096),
    "engine": is_int,
    "runs": _of(
        {
            "closed": _entries({"run_id": is_text, "count": is_int}),
            "open": lambda value: is_list(value, is_text, 65536),
        }
    ),
    "decisions": _closed_ints(COUNTS["decisions"]),
    "reconciliation": _of(
        {
            "sources": _entries({"source_id": is_text, "covers_until": is_int, "lsn": is_text}),
            "horizon": _or_null(is_int),
            "state": _one_of("final", "provisional"),
            **{name: is_int for name in RECONCILIATION_COUNTS},
        }
    ),
    "coverage": _entries(
        {
            "source_id": is_text,
            "observation_id": _or_null(is_half),
            "scope": _or_null(is_text),
            "lsn": _or_null(is_text),
            "guarded": is_int,
            "uncovered": lambda value: is_list(value, is_text, 256),
            "blind_spots": _entries({"code": is_text, "relation": _or_null(is_text)}, 64),
            "gaps": is_int,
        },
        1024,
    ),
    "gaps": _entries({"source_id": is_text, "from_lsn": is_text, "to_lsn": is_text, "reason": is_text}, 1024),
    "outages": _entries(
        {
            **{"source_id": is_text, "component": is_text, "cause": is_text},
            **{"failed_at": is_int, "detected_at": is_int, "restored_at": is_int, "changes_refused": is_int},
        },
        1024,
    ),
    "governance": _of({name: _closed_ints(names) for name, names in GOVERNANCE.items()}),
    "performance": _of(
        {"span_ms": is_int, "decided_per_second_max": is_int, "intake_to_log": _LATENCY, "commit_to_log": _LATENCY}
    ),
    "cost": _closed_ints(COUNTS["cost"]),
    "security": _of(
        {
            "reasons": _entries({"code": is_text, "effect": is_text, "count": is_int}, 256),
            "reasons_other": is_int,
            "threats": _entries({"threat_class": is_text, "count": is_int}, 256),
            "threats_other": is_int,
        }
    ),
    "bundle_log": _of({"number": is_int, "frontier": lambda value: is_list(value, is_digest, 53)}),
    "previous_manifest": _or_null(is_digest),
}
