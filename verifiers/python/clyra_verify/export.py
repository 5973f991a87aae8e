# SPDX-License-Identifier: Apache-2.0
"""The lines of an export: judged by themselves and by neighbours that stand (verification.md §5)."""

from .bindings import decided_holds, observation_holds, tenants_hold
from .blocks import UNKNOWN
from .failure import place
from .hashes import link
from .journal import FILE
from .judge import is_allowed, judge_policy, policy_put_in_force
from .keys import lent_until
from .lines import body_bytes
from .shapes import is_object
from .totals import cut_of, last_receipt


class ExportJudge:
    def __init__(self, manifest, claims, signatures, policies, metrics):
        self._manifest = manifest
        self._claims = claims
        self._signatures = signatures
        self._policies = policies
        self._metrics = metrics
        scope = manifest.value["export"]["scope"]
        self._run_id = scope.get("run_id")
        self._next_seq, self._head = scope.get("next_seq"), scope.get("head")
        self._run_lines = 0
        self._closed = set()
        # The decided line before, as long as no line between was replaced: its receipt and the link to it.
        self._before = None
        self._runs = {}
        self._named_policies = set()
        self._trust_root = None
        self._lent_until = []
        self._last = None
        self._number = 0

    def take(self, line):
        self._last = line
        self._number = line.number
        if line.replaced is not None:
            self._before = None
            self._runs = {}
            return
        at = place(FILE, line=line.number)
        if line.value["kind"] == "decided":
            self._decided(at, line)
        elif line.value["kind"] == "observed":
            self._observed(at, line)

    def _observed(self, at, line):
        body = line.value["observation"]["body"]
        if not observation_holds(body):
            self._claims.fail("integrity", "CLY_LINE_BINDING", at)
        if not tenants_hold(self._manifest, line.value):
            self._claims.fail("integrity", "CLY_LINE_TENANT", at)
        self._signatures.observed(at, line)
        self._metrics.observed(body, line.value["append_time"])

    def _decided(self, at, line):
        value, claims = line.value, self._claims
        receipt = value["receipt"]["body"]
        if not decided_holds(self._manifest, line.data, value):
            claims.fail("integrity", "CLY_LINE_BINDING", at)
        if not tenants_hold(self._manifest, value):
            claims.fail("integrity", "CLY_LINE_TENANT", at)
        self._signatures.decided(at, line)
        self._signatures.command(at, line, UNKNOWN)
        self._signatures.lend(line, self._lent_until)
        self._note_command(value)
        own_link = link(body_bytes(line.data, receipt))
        if self._before is not None:
            self._neighbours(at, receipt)
        if "run_id" in receipt:
            self._run(at, receipt, own_link)
        self._before = (receipt, own_link)
        if receipt["kind"] == "decided":
            judge_policy(claims, at, receipt, self._policies, None)
            self._named_policies.add(receipt["policy_digest"])
        self._metrics.decided(value)

    def _note_command(self, value):
        receipt, change = value["receipt"]["body"], value["change"]["body"]
        if not is_allowed(receipt):
            return
        command = change.get("command") if is_object(change.get("command")) else {}
        self._named_policies.add(policy_put_in_force(value))
        if receipt["change_kind"] == "tenant.opened":
            self._trust_root = command.get("trust_root")
        elif receipt["change_kind"] == "trust_root.activated" and self._trust_root is not None:
            self._trust_root = command.get("trust_root")
        elif receipt["change_kind"] == "key.delegated":
            self._lent_until.append(lent_until(command) or 0)

    def _neighbours(self, at, receipt):
        before, head = self._before
        claims = self._claims
        if receipt["offset"] <= before["offset"]:
            claims.fail("order", "CLY_ORDER_OFFSET", at)
        if not before["offset"] <= receipt["previous_offset"] < receipt["offset"]:
            claims.fail("order", "CLY_ORDER_PREVIOUS_OFFSET", at)
        if receipt["decided_at"] < before["decided_at"]:
            claims.fail("order", "CLY_ORDER_TIME", at)
        if receipt["tenant_prev"] != head:
            claims.fail("order", "CLY_CHAIN_LINK", at)
        if receipt["tenant_seq"] != before["tenant_seq"] + 1:
            claims.fail("completeness", "CLY_CHAIN_GAP", at)

    def _run(self, at, receipt, own_link):
        run_id, claims = receipt["run_id"], self._claims
        if run_id == self._run_id:
            known = (self._next_seq, self._head)
            self._run_lines += 1
            self._next_seq, self._head = receipt["seq"] + 1, own_link
        else:
            known = self._runs.get(run_id)
            self._runs[run_id] = (receipt["seq"] + 1, own_link)
        if known is not None and receipt["prev"] != known[1]:
            claims.fail("order", "CLY_RUN_LINK", at)
        if known is not None and receipt["seq"] != known[0]:
            claims.fail("completeness", "CLY_RUN_GAP", at)
        if run_id in self._closed:
            claims.fail("completeness", "CLY_RUN_AFTER_CLOSE", at)
        if receipt["change_kind"] == "run.closed" and is_allowed(receipt):
            if receipt["count"] != receipt["seq"]:
                claims.fail("completeness", "CLY_RUN_COUNT", at)
            self._closed.add(run_id)

    def end(self):
        """What stands after the last line: the run, the cut, the artifacts, the trust root."""
        claims, manifest = self._claims, self._manifest
        at = place(FILE, line=self._number)
        is_replaced = self._last is None or self._last.replaced is not None
        if is_replaced or (self._run_id is not None and self._run_lines == 0):
            claims.fail("completeness", "CLY_EXPORT_RUN", at)
        if not is_replaced and manifest.value["cut"] != cut_of(last_receipt(self._last)):
            claims.fail("integrity", "CLY_BUNDLE_MANIFEST_MEMBER", place("manifest.json", member="cut"))
        if self._trust_root is not None and manifest.value["trust_root"] != self._trust_root:
            claims.fail("integrity", "CLY_BUNDLE_MANIFEST_MEMBER", place("manifest.json", member="trust_root"))
        for artifact in manifest.artifacts:
            named = self._named_policies if artifact.kind == "policy" else self._metrics.named_documents
            if artifact.kind not in ("policy", "document") or artifact.sha256 not in named:
                claims.fail("integrity", "CLY_BUNDLE_ARTIFACT_UNNAMED", place(f"artifacts/{artifact.sha256}"))
