# SPDX-License-Identifier: Apache-2.0
"""Verifying a bundle that is well-formed: the steps of verification.md §3 E, in their order."""

from .artifacts import check_artifacts, check_state, read_opening_ledger, sound_ledger
from .blocks import UNKNOWN, judge_command, lend
from .canonical import canonical
from .claims import ABSENT, PARTIAL
from .disclosures import Disclosures
from .export import ExportJudge
from .failure import place
from .fold import Fold
from .hashes import tenant_genesis
from .journal import FILE, Journal, cut_time
from .judge import BundleJudge, SignatureJudge, is_cut
from .keys import KeyRing, lent_until
from .ledger import Ledger
from .metrics import Compared, Metrics
from .outside import check_names, judge_times, judge_witnesses
from .policies import Policies
from .replay import judge_replay
from .seals import check_signatures, compare_documents, compare_previous
from .totals import compare_members, coverage_rows, derived_members, judge_coverage, reconciliation, unnamed_artifacts

_UNREADABLE = "CLY_JOURNAL_UNREADABLE"
_AFTER_UNREADABLE = ("order", "completeness", "policy", "reconciliation", "coverage")
_AFTER_NO_LEDGER = ("order", "policy", "reconciliation", "coverage")
_AT_BEST_PARTIAL = ("order", "completeness", "policy", "reconciliation", "coverage")


class Verification:
    """One bundle or export, from its documents to its claims."""

    def __init__(self, container, manifest, documents, claims, is_full):
        self.container = container
        self.manifest = manifest
        self.documents = documents
        self.claims = claims
        self.is_full = is_full
        self.ring = None if documents.trust_root is None else KeyRing(documents.trust_root)
        self.moment = cut_time(container)
        self.policies = Policies(container)
        self.metrics = Metrics(manifest)
        self.signatures = SignatureJudge(self.ring, claims, is_full, manifest.separation)
        self.ledger_code = None

    def run(self):
        self._trust_root()
        cosignatures, tokens = check_names(self.container, self.claims)
        trust_root = self.documents.trust_root
        trusted = judge_times(self.container, tokens, self.documents.checkpoint, trust_root, self.moment, self.claims)
        if self.ring is not None:
            self.ring.trusted_time = trusted
        check_artifacts(self.container, self.manifest, self.claims)
        self.policies.read_all(self.manifest, self.claims)
        disclosures = Disclosures(self.documents.disclosures, self.claims)
        if self.manifest.is_export:
            self._export(disclosures)
        else:
            self._bundle(disclosures)
        compare_documents(self.manifest, self.documents, self.claims)
        if self.ring is not None:
            check_signatures(self.manifest, self.documents, self.ring, self.moment, self.claims)
        judge_witnesses(self.documents.checkpoint, cosignatures, trust_root, self.claims)
        if self.manifest.is_export:
            self.claims.say("reperformance", ABSENT, "CLY_REPERFORMANCE_ABSENT")
        else:
            if self.documents.previous is not None:
                compare_previous(self.manifest, self.documents.previous, self.claims)
            judge_replay(self.container, self.manifest, self.ring, self.moment, self.claims)
        disclosures.end()

    def _trust_root(self):
        """E 1."""
        trust_root, manifest = self.documents.trust_root, self.manifest
        if trust_root is None:
            self.claims.say("authorship", ABSENT, "CLY_TRUST_ROOT_ABSENT")
            return
        if manifest.value["trust_root"] not in trust_root.versions():
            self.claims.fail("authorship", "CLY_TRUST_ROOT_OTHER", place("manifest.json", member="trust_root"))
        if manifest.origin != f"{trust_root.log_origin}/{manifest.tenant}":
            self.claims.fail("authorship", "CLY_TRUST_ROOT_ORIGIN", place("manifest.json", member="origin"))

    def _fail_all(self, names, code, at):
        for name in names:
            self.claims.fail(name, code, at)
        if self.ring is not None:
            self.claims.fail("authorship", code, at)

    def _bundle(self, disclosures):
        check_state(self.container, self.manifest, self.claims)
        fold = self._opening()
        policies_in_force = Compared(self.manifest.value["policies"])
        judge = None
        if fold is not None:
            judge = BundleJudge(self.manifest, self.claims, self.signatures, fold, self.metrics, policies_in_force)
        journal = Journal(self.container, self.manifest, self.is_full)
        for line in journal.lines(self.claims):
            if judge is not None:
                judge.take(line)
            disclosures.take(self.manifest.start + line.number - 1, line)
        if journal.unreadable:
            self._fail_all(_AFTER_UNREADABLE, _UNREADABLE, place(FILE, line=journal.count))
        journal.compare(self.claims)
        if judge is not None and not journal.unreadable:
            self._closing(judge, fold)

    def _opening(self):
        """E 7: the fold before the first line, or None where the opening ledger cannot be read."""
        manifest = self.manifest
        if manifest.start == 0:
            return Fold(Ledger(tenant_genesis(manifest.stream_id, manifest.tenant)), self.policies)
        ledger, code = read_opening_ledger(self.container, manifest)
        at = place("manifest.json", member="opening_ledger")
        if ledger is None:
            self.claims.fail("completeness", code, at)
            self._fail_all(_AFTER_NO_LEDGER, code, at)
            return None
        if ledger.policy in self.policies and ledger.guarded != self.policies.guarded(ledger.policy):
            self.claims.fail("policy", "CLY_POLICY_GUARDED", at)
        self._open_delegations(ledger)
        return Fold(ledger, self.policies)

    def _open_delegations(self, ledger):
        """Each is judged as if its line stood here."""
        if self.ring is None:
            return
        until = []
        for append_time, command, signatures in ledger.delegations:
            change = {"kind": "key.delegated", "command": command, "signatures": signatures}
            code = judge_command(self.ring, change, canonical(command), append_time, UNKNOWN)
            if code is not None:
                self.claims.fail("authorship", code, place(FILE, line=0))
            lend(self.ring, change, canonical(command), append_time, append_time, until)
            until.append(lent_until(command) or 0)

    def _closing(self, judge, fold):
        """E 12, 13, and the claims that follow from the closing ledger."""
        claims, manifest, value = self.claims, self.manifest, self.manifest.value
        if not _is_sealed(judge):
            claims.fail("completeness", "CLY_BUNDLE_CUT", place(FILE, line=judge.count))
        digest = fold.ledger.digest()
        if digest != value["closing_ledger"] or sound_ledger(manifest, digest) is None:
            claims.fail("completeness", "CLY_LEDGER_CLOSING", place("manifest.json", member="closing_ledger"))
        rows = coverage_rows(fold.ledger, self.metrics.gaps_by_source)
        compare_members(value, derived_members(judge, self.metrics, fold.ledger, rows), claims)
        for artifact in unnamed_artifacts(manifest, self.metrics, judge.named_policies):
            claims.fail("integrity", "CLY_BUNDLE_ARTIFACT_UNNAMED", place(f"artifacts/{artifact.sha256}"))
        totals = reconciliation(fold.ledger, fold.totals)
        at = place("manifest.json", member="reconciliation")
        if value["reconciliation"] != totals:
            claims.fail("reconciliation", "CLY_RECONCILE_TOTAL", at)
        self.signatures.compare_separation()
        if totals["unjudged"] > 0 or totals["grants_forgotten"] > 0:
            claims.say("reconciliation", PARTIAL, "CLY_RECONCILE_UNJUDGED", at)
        if totals["state"] == "provisional":
            claims.say("reconciliation", PARTIAL, "CLY_RECONCILE_PROVISIONAL", at)
        judge_coverage(fold.ledger, rows, claims)

    def _export(self, disclosures):
        judge = ExportJudge(self.manifest, self.claims, self.signatures, self.policies, self.metrics)
        journal = Journal(self.container, self.manifest, self.is_full)
        for line in journal.lines(self.claims):
            judge.take(line)
            disclosures.take(self.manifest.start + line.number - 1, line)
        if journal.unreadable:
            self._fail_all(_AFTER_UNREADABLE, _UNREADABLE, place(FILE, line=journal.count))
        journal.compare(self.claims)
        if not journal.unreadable:
            judge.end()
        for name in _AT_BEST_PARTIAL:
            self.claims.say(name, PARTIAL, "CLY_EXPORT_PARTIAL")


def _is_sealed(judge):
    """Whether the last line is a sealed cut."""
    last = judge.last
    if last is None or not is_cut(last.value):
        return False
    kind = last.value["receipt"]["body"]["change_kind"]
    return kind == "run.closed" or (kind == "window.closed" and judge.count > 1)
