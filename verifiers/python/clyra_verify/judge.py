# SPDX-License-Identifier: Apache-2.0
"""Judging the lines of a bundle, one after the other (verification.md §3 E 9, §3.1 to §3.3)."""

from .bindings import decided_holds, observation_holds, tenants_hold
from .blocks import (
    CHANGE_TYPE,
    ENFORCER,
    INTAKE,
    OBSERVATION_TYPE,
    RECEIPT_TYPE,
    command_bytes,
    is_command,
    is_refused_as_unsigned,
    judge_block,
    judge_command,
    lend,
    observers,
)
from .failure import place
from .fold import LedgerLimit
from .hashes import link, run_genesis
from .journal import FILE
from .keys import lent_until
from .lines import body_bytes
from .reconcile import CutGroup
from .shapes import is_digest, is_object


def is_cut(line):
    if line["kind"] != "decided":
        return False
    receipt = line["receipt"]["body"]
    return "state_digest" in receipt and receipt["change_kind"] != "tenant.opened"


def is_allowed(receipt):
    return receipt["kind"] == "decided" and receipt["decision"] == "allow"


class SignatureJudge:
    """Signatures and commands of lines; without a trust root nothing is judged."""

    def __init__(self, ring, claims, is_full, separation):
        self._ring = ring
        self._claims = claims
        self._is_full = is_full
        # Who signed what, where the manifest says that nobody signed twice. Once authorship failed nobody asks.
        self._signers = {"change": set(), "receipt": set(), "transaction": set()} if separation != "none" else None

    def decided(self, at, line):
        data, value = line.data, line.value
        receipt = value["receipt"]["body"]
        refused = is_refused_as_unsigned(receipt)
        if not refused:
            self._note("change", value["change"]["sig"])
        if value["receipt"]["sig"] is not None:
            self._note("receipt", value["receipt"]["sig"])
        if self._ring is None or (not self._is_full and not is_cut(value)):
            return
        moment = value["append_time"]
        if not refused:
            self._block(at, "change", value["change"], data, CHANGE_TYPE, INTAKE, moment)
        if value["receipt"]["sig"] is not None:
            self._block(at, "receipt", value["receipt"], data, RECEIPT_TYPE, ENFORCER, moment)

    def observed(self, at, line):
        body = line.value["observation"]["body"]
        if body["kind"] == "transaction":
            self._note("transaction", line.value["observation"]["sig"])
        if self._is_full and self._ring is not None:
            roles = observers(body["kind"])
            self._block(at, "observation", line.value["observation"], line.data, OBSERVATION_TYPE, roles, line.value["append_time"])

    def _block(self, at, member, signed, data, payload_type, roles, moment):
        code = judge_block(self._ring, signed["sig"], body_bytes(data, signed["body"]), payload_type, roles, moment)
        if code is not None:
            self._claims.fail("authorship", code, {**at, "member": f"{member}.sig"})

    def command(self, at, line, in_force):
        """An allowed command, in both modes."""
        if self._ring is None:
            return
        change = line.value["change"]["body"]
        if is_allowed(line.value["receipt"]["body"]) and is_command(change):
            code = judge_command(self._ring, change, command_bytes(line.data, change), line.value["append_time"], in_force)
            if code is not None:
                self._claims.fail("authorship", code, {**at, "member": "change.body.command"})

    def lend(self, line, standing):
        """After its own line is judged an allowed key.delegated holds for those that follow."""
        change, receipt = line.value["change"]["body"], line.value["receipt"]["body"]
        if self._ring is None or not is_allowed(receipt) or receipt["change_kind"] != "key.delegated":
            return
        data = command_bytes(line.data, change)
        lend(self._ring, change, data, line.value["append_time"], receipt["decided_at"], standing)

    def forget_before(self, moment):
        if self._ring is not None:
            self._ring.forget_before(moment)

    def _note(self, what, block):
        if self._signers is not None and not self._claims.failed("authorship"):
            self._signers[what].add(bytes.fromhex(block["key_id"]))

    def compare_separation(self):
        """E 13: where the services are said to be apart, no key signs in two roles."""
        if self._signers is None:
            return
        change, receipt, transaction = self._signers.values()
        if change & receipt or change & transaction or receipt & transaction:
            self._claims.fail("authorship", "CLY_SEPARATION_KEYS", place("manifest.json", member="separation"))


def judge_policy(claims, at, receipt, policies, in_force):
    """§3.2; `in_force`: digests before and after the line, or None in an export, where nobody knows."""
    digest = receipt["policy_digest"]
    is_request = receipt["change_kind"] == "change.requested"
    if in_force is not None:
        before, after = in_force
        if digest != before and (is_request or digest != after):
            claims.fail("policy", "CLY_POLICY_OTHER", at)
    if digest is not None and digest not in policies:
        claims.fail("policy", "CLY_POLICY_MISSING", at)
    if is_request and receipt["decision"] != "block":
        inspected = receipt.get("inspected_under")
        if not is_object(inspected) or "policy_digest" not in inspected or inspected["policy_digest"] != digest:
            claims.fail("policy", "CLY_POLICY_INSPECTION", at)


def policy_put_in_force(line):
    """The digest that an allowed line puts in force, or None."""
    receipt = line["receipt"]["body"]
    if not is_allowed(receipt) or receipt["change_kind"] not in ("tenant.opened", "policy.activated"):
        return None
    command = line["change"]["body"].get("command")
    digest = command.get("policy") if is_object(command) else None
    return digest if is_digest(digest) else None


class BundleJudge:
    """The lines of a bundle, with the ledger before each of them."""

    def __init__(self, manifest, claims, signatures, fold, metrics, policies_in_force):
        self._manifest = manifest
        self._claims = claims
        self._signatures = signatures
        self._fold = fold
        self._metrics = metrics
        self._policies = fold.policies
        self.policies_in_force = policies_in_force
        self._group = CutGroup(claims, lambda: len(fold.ledger.pending))
        self._closed = set()
        self._policy_artifacts = {one.sha256 for one in manifest.artifacts if one.kind == "policy"}
        self.named_policies = set()
        self.last = None
        # Of the last decided line; a bundle whose last line is another fails for that (E 12), not for its manifest.
        self.last_receipt = {}
        self.count = 0
        if fold.ledger.policy is not None:
            self._name_policy(fold.ledger.policy)

    def take(self, line):
        at = place(FILE, line=line.number)
        kind = line.value["kind"]
        self.count += 1
        self.last = line
        if kind == "decided":
            self._decided(at, line)
        elif kind == "observed":
            self._observed(at, line)
        else:
            self._group.matched(at, line)

    def _decided(self, at, line):
        value, claims = line.value, self._claims
        receipt = self.last_receipt = value["receipt"]["body"]
        ledger = self._fold.ledger
        if not decided_holds(self._manifest, line.data, value):
            claims.fail("integrity", "CLY_LINE_BINDING", at)
        if not tenants_hold(self._manifest, value):
            claims.fail("integrity", "CLY_LINE_TENANT", at)
        self._signatures.decided(at, line)
        self._signatures.command(at, line, ledger.trust_root)
        self._signatures.lend(line, [lent_until(command) or 0 for _, command, _ in ledger.delegations])
        self._order(at, receipt)
        self._chains(at, line)
        before = ledger.policy
        try:
            self._fold.decided(value)
        except LedgerLimit:
            claims.fail("integrity", "CLY_LEDGER_LIMIT", at)
        self._metrics.decided(value)
        self._policy(at, value, before)
        if is_cut(value):
            self._group.cut(at, self._fold.judge_pending(value["append_time"]))
            self._fold.after_cut(value["append_time"])
            self._signatures.forget_before(value["append_time"])
        else:
            self._group.other(at)

    def _order(self, at, receipt):
        ledger = self._fold.ledger
        if receipt["offset"] <= ledger.last_offset:
            self._claims.fail("order", "CLY_ORDER_OFFSET", at)
        if not ledger.last_offset <= receipt["previous_offset"] < receipt["offset"]:
            self._claims.fail("order", "CLY_ORDER_PREVIOUS_OFFSET", at)
        if receipt["decided_at"] < ledger.last_decided_at:
            self._claims.fail("order", "CLY_ORDER_TIME", at)

    def _chains(self, at, line):
        receipt, claims, ledger = line.value["receipt"]["body"], self._claims, self._fold.ledger
        if receipt["tenant_prev"] != ledger.head:
            claims.fail("order", "CLY_CHAIN_LINK", at)
        if receipt["tenant_seq"] != ledger.next_seq:
            claims.fail("completeness", "CLY_CHAIN_GAP", at)
        if "run_id" in receipt:
            self._run(at, receipt)
        try:
            self._fold.chain(receipt, link(body_bytes(line.data, receipt)))
        except LedgerLimit:
            claims.fail("integrity", "CLY_LEDGER_LIMIT", at)

    def _run(self, at, receipt):
        run_id, claims = receipt["run_id"], self._claims
        next_seq, head = self._fold.ledger.runs.get(run_id) or (0, run_genesis(self._manifest.tenant, run_id))
        if receipt["prev"] != head:
            claims.fail("order", "CLY_RUN_LINK", at)
        if receipt["seq"] != next_seq:
            claims.fail("completeness", "CLY_RUN_GAP", at)
        if run_id in self._closed:
            claims.fail("completeness", "CLY_RUN_AFTER_CLOSE", at)
        if receipt["change_kind"] == "run.closed" and is_allowed(receipt):
            if receipt["count"] != receipt["seq"]:
                claims.fail("completeness", "CLY_RUN_COUNT", at)
            self._metrics.closed_runs.add({"run_id": run_id, "count": receipt["seq"]})
            self._closed.add(run_id)

    def _policy(self, at, value, before):
        receipt = value["receipt"]["body"]
        if receipt["kind"] == "decided":
            judge_policy(self._claims, at, receipt, self._policies, (before, self._fold.ledger.policy))
        put = policy_put_in_force(value)
        if put is None:
            return
        if put not in self._policies:
            self._claims.fail("policy", "CLY_POLICY_MISSING", at)
            self._claims.fail("reconciliation", "CLY_RECONCILE_POLICY", at)
        if put != before:
            self._name_policy(put)

    def _name_policy(self, digest):
        self.policies_in_force.add(digest)
        if digest in self._policy_artifacts:
            self.named_policies.add(digest)

    def _observed(self, at, line):
        body, claims = line.value["observation"]["body"], self._claims
        leaf, append_time = self._manifest.start + line.number - 1, line.value["append_time"]
        if not observation_holds(body):
            claims.fail("integrity", "CLY_LINE_BINDING", at)
        if not tenants_hold(self._manifest, line.value):
            claims.fail("integrity", "CLY_LINE_TENANT", at)
        self._signatures.observed(at, line)
        if self._fold.is_repeated(body):
            claims.fail("order", "CLY_ORDER_REPEATED", at)
        try:
            self._fold.observed(body, leaf, append_time)
        except LedgerLimit:
            claims.fail("integrity", "CLY_LEDGER_LIMIT", at)
        self._metrics.observed(body, append_time)
        if body["kind"] == "watermark":
            self._group.watermark(at, body["source_id"])
        else:
            self._group.other(at)
