# SPDX-License-Identifier: Apache-2.0
"""What lines do to a ledger (journal.md §4) and what is derived at a cut (§5)."""

from .canonical import canonical
from .ledger import (
    COVERED_MAX,
    DELEGATIONS_MAX,
    GRANT_BYTES_MAX,
    PENDING_BYTES_MAX,
    RUNS_MAX,
    SEEN_MAX,
    SOURCES_MAX,
    Grant,
    Pending,
    Source,
)
from .keys import lent_until
from .shapes import is_digest, is_object, is_text, position

_MAKES_SOURCE = ("transaction", "watermark", "gap", "coverage")
_TIME_SLACK_MS = 5000
_WATERMARK_SLACK_MS = 60000
_GRANT_KEPT_MS = 86400000
_TOUCHED = ("schema", "name", "inserts", "updates", "deletes", "truncates")
_OPERATIONS = (("insert", "inserts"), ("update", "updates"), ("delete", "deletes"), ("truncate", "truncates"), ("ddl", "ddl"))


class LedgerLimit(Exception):
    """A line that goes beyond a limit of the ledger; it has no effect on it."""


class Totals:
    """What reconciliation counts of a range."""

    def __init__(self):
        self.observations = 0
        self.judged = {"matched": 0, "exceeded": 0, "reused": 0, "unattributed": 0, "claimed_unproved": 0}
        self.unjudged = 0
        self.grants_forgotten = 0
        self.unobserved = 0


class Fold:
    """The ledger, line after line."""

    def __init__(self, ledger, policies):
        self.ledger = ledger
        self.policies = policies
        self.totals = Totals()
        # What any policy since the cut before guards; a range begins after a cut.
        self.window = {source: set(relations) for source, relations in ledger.guarded.items()}

    def decided(self, line):
        """The effects of a decided line, those of a cut excepted."""
        change, receipt = line["change"]["body"], line["receipt"]["body"]
        ledger = self.ledger
        ledger.last_decided_at = receipt["decided_at"]
        ledger.last_offset = receipt["offset"]
        if receipt["change_kind"] == "change.outcome":
            ledger.last_outcome_at = line["append_time"]
        if receipt["kind"] == "decided" and receipt["decision"] == "allow":
            self._allowed(line, change, receipt)

    def _allowed(self, line, change, receipt):
        kind = receipt["change_kind"]
        command = change.get("command") if is_object(change.get("command")) else {}
        if kind in ("tenant.opened", "policy.activated") and is_digest(command.get("policy")):
            self._put_in_force(command["policy"])
        if kind in ("tenant.opened", "trust_root.activated") and is_digest(command.get("trust_root")):
            self.ledger.trust_root = command["trust_root"]
        if kind == "source.registered" and is_text(command.get("source_id")):
            self._source(command["source_id"]).registered = True
        if kind == "change.requested":
            for grant in receipt.get("grants", ()):
                self._grant(receipt, grant)
        if kind == "key.delegated" and lent_until(command) is not None and isinstance(change.get("signatures"), list):
            if len(self.ledger.delegations) >= DELEGATIONS_MAX:
                raise LedgerLimit
            self.ledger.delegations.append((line["append_time"], command, change["signatures"]))

    def _put_in_force(self, digest):
        self.ledger.policy = digest
        self.ledger.guarded = self.policies.guarded(digest)
        for source, relations in self.ledger.guarded.items():
            self.window.setdefault(source, set()).update(relations)

    def _source(self, source_id):
        source = self.ledger.sources.get(source_id)
        if source is None:
            if len(self.ledger.sources) >= SOURCES_MAX:
                raise LedgerLimit
            source = self.ledger.sources[source_id] = Source()
        return source

    def _grant(self, receipt, grant):
        ledger = self.ledger
        source_id = grant["source_id"]
        source = ledger.sources.get(source_id)
        if source is not None and source.coverage is None and source_id in ledger.guarded:
            self.totals.unobserved += 1
        token = bytes.fromhex(grant["token_hash"])
        if token in ledger.grants:
            return
        line = canonical(
            {
                **{"kind": "grant", "token_hash": grant["token_hash"], "event_id": receipt["event_id"]},
                **{"receipt_id": receipt["receipt_id"], "source_id": source_id, "relations": grant["relations"]},
                **{"operations": grant["operations"], "rows_max": grant["rows_max"]},
                **{"not_before": receipt["decided_at"], "expires_at": grant["expires_at"], "used_by": None},
            }
        )
        if ledger.grant_bytes + len(line) + 1 > GRANT_BYTES_MAX:
            self.totals.grants_forgotten += 1
            return
        ledger.grants[token] = Grant(line, source_id, grant["expires_at"])
        ledger.grant_bytes += len(line) + 1

    def chain(self, receipt, link):
        """Moves the tenant's chain and, in a run, the run's."""
        ledger = self.ledger
        ledger.next_seq = receipt["tenant_seq"] + 1
        ledger.head = link
        run_id = receipt.get("run_id")
        if run_id is None:
            return
        if receipt["change_kind"] == "run.closed" and receipt.get("decision") == "allow":
            ledger.runs.pop(run_id, None)
            return
        if run_id not in ledger.runs and len(ledger.runs) >= RUNS_MAX:
            raise LedgerLimit
        ledger.runs[run_id] = (receipt["seq"] + 1, link)

    def is_repeated(self, body):
        kind = body["kind"]
        if kind == "transaction":
            source = self.ledger.sources.get(body["source_id"])
            newest = source.newest if source is not None else None
            if newest is None or (newest["system_id"], newest["timeline"]) != (body["system_id"], body["timeline"]):
                return False
            return position(body["commit_end_lsn"]) <= position(newest["lsn"])
        return kind != "watermark" and self.ledger.seen.get((body["source_id"], kind)) == body["observation_id"]

    def observed(self, body, leaf, append_time):
        kind, source_id = body["kind"], body["source_id"]
        ledger = self.ledger
        if kind == "transaction":
            self.totals.observations += 1
        is_new_seen = kind not in ("transaction", "watermark") and (source_id, kind) not in ledger.seen
        if is_new_seen and len(ledger.seen) >= SEEN_MAX:
            raise LedgerLimit
        if kind == "coverage":
            others = sum(len(relations) for source, relations in ledger.covered.items() if source != source_id)
            if others + len(body["relations"]) > COVERED_MAX:
                raise LedgerLimit
        source = self._source(source_id) if kind in _MAKES_SOURCE else None
        if kind not in ("transaction", "watermark"):
            ledger.seen[source_id, kind] = body["observation_id"]
        if kind == "watermark":
            source.watermark = {"lsn": body["lsn"], "covers_until": body["covers_until"]}
        elif kind == "coverage":
            self._coverage(source, body)
        elif kind == "transaction":
            source.newest = {name: body[name] for name in ("system_id", "timeline")}
            source.newest["lsn"] = body["commit_end_lsn"]
            self._touch(body, leaf, append_time)

    def _coverage(self, source, body):
        source_id = body["source_id"]
        source.coverage = {name: body[name] for name in ("observation_id", "scope", "lsn")}
        self.ledger.covered.pop(source_id, None)
        self.ledger.blind_spots.pop(source_id, None)
        if body["relations"]:
            self.ledger.covered[source_id] = set(body["relations"])
        if body["blind_spots"]:
            spots = {(spot["code"], spot.get("relation")) for spot in body["blind_spots"]}
            self.ledger.blind_spots[source_id] = spots

    def _touch(self, body, leaf, append_time):
        guarded = self.window.get(body["source_id"])
        if not guarded:
            return
        touched = []
        for entry in body["relations"]:
            if entry["schema"] == entry["name"] == "*" or f"{entry['schema']}.{entry['name']}" in guarded:
                touched.append({name: entry[name] for name in (*_TOUCHED, *(("ddl",) if "ddl" in entry else ()))})
        if not touched:
            return
        line = canonical(
            {
                **{"kind": "pending", "observation_id": body["observation_id"], "leaf": leaf},
                **{"append_time": append_time, "source_id": body["source_id"], "committed_at": body["committed_at"]},
                **{"relations": touched, "token_hashes": body["token_hashes"]},
            }
        )
        if self.ledger.pending_bytes + len(line) + 1 > PENDING_BYTES_MAX:
            self.totals.unjudged += 1
            return
        self.ledger.pending.append(Pending(line, leaf, append_time))
        self.ledger.pending_bytes += len(line) + 1

    def judge_pending(self, append_time):
        """§5: the matched lines that must stand before this cut, as (leaf, canonical bytes), in leaf order."""
        due = [one for one in self.ledger.pending if one.append_time <= append_time]
        self.ledger.pending = [one for one in self.ledger.pending if one.append_time > append_time]
        for one in due:
            self.ledger.pending_bytes -= len(one.line) + 1
            line = self._judge(one.value())
            self.totals.judged[line["status"]] += 1
            yield one.leaf, canonical(line)

    def _judge(self, pending):
        tokens = list(dict.fromkeys(pending["token_hashes"]))
        names = {"event_id": None, "receipt_id": None, "token_hash": None}
        if not tokens:
            return _matched(pending, "unattributed", "no_token", names)
        grants = []
        for token in tokens:
            grant = self.ledger.grants.get(bytes.fromhex(token))
            if grant is None:
                return _matched(pending, "claimed_unproved", "token_unknown", {**names, "token_hash": token})
            grants.append(grant.value())
        names = {name: grants[0][name] for name in names}
        if any(grant["used_by"] not in (None, pending["observation_id"]) for grant in grants):
            return _matched(pending, "reused", "token_used", names)
        for grant in grants:
            self._use(grant, pending["observation_id"])
        reason = _excess(pending, grants)
        if reason is None:
            return _matched(pending, "matched", "token_and_effect", names)
        return _matched(pending, "exceeded", reason, names)

    def _use(self, grant, observation_id):
        held = self.ledger.grants[bytes.fromhex(grant["token_hash"])]
        self.ledger.grant_bytes -= len(held.line)
        held.line = canonical({**grant, "used_by": observation_id})
        self.ledger.grant_bytes += len(held.line)

    def after_cut(self, append_time):
        """What a cut drops, and the guarded relations from here on."""
        ledger = self.ledger
        for token in [token for token, grant in ledger.grants.items() if self._is_over(grant, append_time)]:
            ledger.grant_bytes -= len(ledger.grants.pop(token).line) + 1
        ledger.delegations = [one for one in ledger.delegations if _lasts(one[1], append_time)]
        self.window = {source: set(relations) for source, relations in ledger.guarded.items()}

    def _is_over(self, grant, append_time):
        source = self.ledger.sources.get(grant.source_id)
        watermark = source.watermark if source is not None else None
        if watermark is not None and watermark["covers_until"] > grant.expires_at + _WATERMARK_SLACK_MS:
            return True
        return grant.expires_at + _GRANT_KEPT_MS < append_time


def _lasts(command, moment):
    until = lent_until(command)
    return until is not None and until >= moment


def _matched(pending, status, reason, names):
    line = {"v": 0, "kind": "matched", "observation_id": pending["observation_id"], "leaf": pending["leaf"]}
    return {**line, "status": status, "reason": reason, **names}


def _excess(pending, grants):
    """Rows 4–8: why the effect goes beyond the grants, or None."""
    if any(grant["source_id"] != pending["source_id"] for grant in grants):
        return "source"
    touched = [(f"{entry['schema']}.{entry['name']}", entry) for entry in pending["relations"]]
    for relation, _ in touched:
        if not any(relation in grant["relations"] for grant in grants):
            return "relation"
    for relation, entry in touched:
        for operation, count in _OPERATIONS:
            if entry.get(count, 0) > 0 and not any(
                relation in grant["relations"] and operation in grant["operations"] for grant in grants
            ):
                return "operation"
    rows = sum(entry["inserts"] + entry["updates"] + entry["deletes"] for _, entry in touched)
    if rows > sum(grant["rows_max"] for grant in grants):
        return "rows"
    moment = pending["committed_at"]
    for grant in grants:
        if not grant["not_before"] - _TIME_SLACK_MS <= moment <= grant["expires_at"] + _TIME_SLACK_MS:
            return "time"
    return None
