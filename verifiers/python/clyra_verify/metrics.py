# SPDX-License-Identifier: Apache-2.0
"""Counts of a range (bundle.md §3.1), and the lists of its manifest that are compared while they are made."""

from .grammar import INTEGER_MAX, utf16_key
from .manifest import COUNTS, GOVERNANCE
from .shapes import is_digest, is_int, is_object, is_text

_LISTED_MAX = 256
_FINDINGS_MAX = 1024
_OUTCOMES = {"done": "outcomes_done", "failed": "outcomes_failed", "returned": "outcomes_returned"}
_ALLOWED = {
    "approval.granted": "approvals_granted",
    "approval.revoked": "approvals_revoked",
    "emergency.reviewed": "emergencies_reviewed",
    "kill_switch.engaged": "kill_switches_engaged",
    "kill_switch.lifted": "kill_switches_lifted",
    "policy.activated": "policies_activated",
    "engine.activated": "engines_activated",
    "change.resolved": "changes_resolved",
}
_SCHEMA = {name: f"schema_{name}" for name in ("valid", "invalid", "not_required", "not_checked")}


class Compared:
    """A list that must equal one of the manifest: compared entry by entry, never kept."""

    def __init__(self, expected, most=None):
        self.expected = expected
        self.most = most
        self.count = 0
        self.equal = True

    def add(self, entry):
        if self.most is None or self.count < self.most:
            self.equal = self.equal and self.count < len(self.expected) and self.expected[self.count] == entry
        self.count += 1

    def is_equal(self):
        listed = self.count if self.most is None else min(self.count, self.most)
        return self.equal and listed == len(self.expected)


class _Latency:
    def __init__(self):
        self.count = self.most = self.total = 0

    def add(self, value):
        value = max(0, value)
        self.count += 1
        self.most = max(self.most, value)
        self.total = capped(self.total + value)

    def value(self):
        return {"count": self.count, "max_ms": self.most, "sum_ms": self.total}


class _Tally:
    """The first 256 different entries and how often each was there; of the others how many."""

    def __init__(self):
        self.counts = {}
        self.other = 0

    def add(self, entry):
        if entry in self.counts or len(self.counts) < _LISTED_MAX:
            self.counts[entry] = self.counts.get(entry, 0) + 1
        else:
            self.other += 1


def capped(value):
    return min(value, INTEGER_MAX)


def member(value, *names):
    """A member of a member, or None where there is none."""
    for name in names:
        value = value.get(name) if is_object(value) else None
    return value


class Metrics:
    def __init__(self, manifest):
        self._artifacts = {(one.sha256, one.size): one for one in manifest.artifacts if one.kind == "document"}
        self.named_documents = set()
        self.decisions = dict.fromkeys(COUNTS["decisions"], 0)
        self.documents = dict.fromkeys(COUNTS["documents"], 0)
        self.cost = dict.fromkeys(COUNTS["cost"], 0)
        self.governance = {name: dict.fromkeys(names, 0) for name, names in GOVERNANCE.items()}
        self.has_request = False
        self.gaps = Compared(manifest.value.get("gaps", ()), _FINDINGS_MAX)
        self.outages = Compared(manifest.value.get("outages", ()), _FINDINGS_MAX)
        self.closed_runs = Compared(member_of(manifest.value, "runs", "closed"))
        self.gaps_by_source = {}
        self._reasons, self._threats = _Tally(), _Tally()
        self._intake, self._commit = _Latency(), _Latency()
        self._first_decided = self._last_decided = None
        self._second, self._in_second, self._second_max = None, 0, 0

    def decided(self, line):
        change, receipt = line["change"]["body"], line["receipt"]["body"]
        is_decided = receipt["kind"] == "decided"
        self.decisions[receipt["decision"] if is_decided else "recorded"] += 1
        self._pace(receipt["decided_at"])
        if is_int(change.get("intake_at")):
            self._intake.add(line["append_time"] - change["intake_at"])
        if isinstance(change.get("documents"), list):
            for entry in change["documents"]:
                self._document(entry)
        if not is_decided:
            if receipt["change_kind"] == "change.outcome":
                name = receipt.get("effect")
                self.governance["reliability"][_OUTCOMES.get(name, "outcomes_other") if is_text(name) else "outcomes_other"] += 1
            return
        self._decision(receipt)
        if receipt["change_kind"] == "change.requested":
            self._request(change, receipt)

    def _pace(self, decided_at):
        if self._first_decided is None:
            self._first_decided = decided_at
        self._last_decided = decided_at
        second = decided_at // 1000
        self._in_second = self._in_second + 1 if second == self._second else 1
        self._second = second
        self._second_max = max(self._second_max, self._in_second)

    def _decision(self, receipt):
        reasons = receipt.get("reasons")
        transparency = self.governance["transparency"]
        if receipt["decision"] != "allow":
            transparency["refused"] += 1
            if not isinstance(reasons, list) or not reasons:
                transparency["refused_unexplained"] += 1
        elif receipt["change_kind"] in _ALLOWED:
            self.governance["oversight"][_ALLOWED[receipt["change_kind"]]] += 1
        for reason in reasons if isinstance(reasons, list) else ():
            code, effect, threat = (member(reason, name) for name in ("code", "effect", "threat_class"))
            if is_text(code) and is_text(effect):
                self._reasons.add((code, effect))
            if is_text(threat):
                self._threats.add(threat)

    def _request(self, change, receipt):
        self.has_request = True
        transparency, accuracy, oversight = (self.governance[name] for name in ("transparency", "accuracy", "oversight"))
        transparency["requests"] += 1
        transparency["requests_in_runs"] += "run_id" in receipt
        verdict = member(change, "facts", "schema", "verdict")
        if is_text(verdict) and verdict in _SCHEMA:
            accuracy[_SCHEMA[verdict]] += 1
        content = member(change, "facts", "content")
        accuracy["content_refused"] += is_text(content) and content != "ok"
        oversight["held"] += receipt["decision"] == "hold"
        oversight["superseding"] += "supersedes" in receipt
        oversight["reviewed_only"] += receipt.get("mode") == "review"
        size = member(change, "facts", "payload_size")
        if is_int(size):
            self.cost["payload_bytes"] = capped(self.cost["payload_bytes"] + size)
            if receipt["decision"] == "allow":
                self.cost["payload_bytes_allowed"] = capped(self.cost["payload_bytes_allowed"] + size)

    def observed(self, body, append_time):
        kind = body["kind"]
        reliability = self.governance["reliability"]
        if kind == "gap":
            reliability["gaps"] += 1
            source_id = body["source_id"]
            self.gaps_by_source[source_id] = self.gaps_by_source.get(source_id, 0) + 1
            self.gaps.add({name: body[name] for name in ("source_id", "from_lsn", "to_lsn", "reason")})
        elif kind == "outage":
            reliability["outages"] += 1
            lasted = max(0, body["restored_at"] - body["failed_at"])
            reliability["outage_ms"] = capped(reliability["outage_ms"] + lasted)
            reliability["changes_refused"] = capped(reliability["changes_refused"] + body["changes_refused"])
            names = ("source_id", "component", "failed_at", "detected_at", "restored_at", "cause", "changes_refused")
            self.outages.add({name: body[name] for name in names})
        elif kind == "accessed":
            self.governance["transparency"]["accesses"] += 1
        elif kind == "document":
            self._document(body)
        elif kind == "transaction":
            self.cost["transactions"] += 1
            self._commit.add(append_time - body["committed_at"])
            rows = sum(entry["inserts"] + entry["updates"] + entry["deletes"] for entry in body["relations"])
            self.cost["rows_written"] = capped(self.cost["rows_written"] + rows)

    def _document(self, entry):
        digest, size = member(entry, "sha256"), member(entry, "size")
        if not is_digest(digest) or not is_int(size):
            return
        self.documents["named"] += 1
        if (digest, size) in self._artifacts:
            self.documents["held"] += 1
            self.named_documents.add(digest)

    def performance(self):
        span = 0 if self._first_decided is None else self._last_decided - self._first_decided
        return {
            "span_ms": max(0, span),
            "decided_per_second_max": self._second_max,
            "intake_to_log": self._intake.value(),
            "commit_to_log": self._commit.value(),
        }

    def security(self):
        reasons, threats = self._reasons, self._threats
        pairs = sorted(reasons.counts, key=lambda pair: (utf16_key(pair[0]), utf16_key(pair[1])))
        return {
            "reasons": [{"code": code, "effect": effect, "count": reasons.counts[code, effect]} for code, effect in pairs],
            "reasons_other": reasons.other,
            "threats": [
                {"threat_class": name, "count": threats.counts[name]} for name in sorted(threats.counts, key=utf16_key)
            ],
            "threats_other": threats.other,
        }


def member_of(value, *names):
    """A list of the manifest; empty in an export, which has none."""
    for name in names:
        value = value.get(name, {}) if isinstance(value, dict) else {}
    return value or ()
