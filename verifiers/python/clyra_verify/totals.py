# SPDX-License-Identifier: Apache-2.0
"""What a manifest must say after its lines and its closing ledger (verification.md §3 E 13), and the claim `coverage`."""

from .claims import ABSENT, PARTIAL
from .failure import place
from .grammar import utf16_key


_UNCOVERED_MAX = 256


def reconciliation(ledger, totals):
    """The member `reconciliation` (journal.md §5)."""
    sources = []
    for source_id in sorted(ledger.sources, key=utf16_key):
        watermark = ledger.sources[source_id].watermark
        if watermark is not None:
            sources.append({"source_id": source_id, **watermark})
    bounds = [
        ledger.sources[source_id].watermark["covers_until"] if ledger.sources[source_id].watermark else 0
        for source_id in ledger.guarded
        if source_id in ledger.sources
    ]
    horizon = min(bounds, default=None)
    outcome = ledger.last_outcome_at
    is_final = totals.unobserved == 0 and (outcome is None or horizon is None or horizon >= outcome)
    unused = sum(1 for grant in ledger.grants.values() if grant.line.endswith(b'"used_by":null}'))
    return {
        **{"sources": sources, "horizon": horizon, "state": "final" if is_final else "provisional"},
        **{"observations": totals.observations, "guarded": sum(totals.judged.values()), **totals.judged},
        **{"unjudged": totals.unjudged, "grants_forgotten": totals.grants_forgotten, "unobserved": totals.unobserved},
        **{"pending": len(ledger.pending), "grants_unused": unused},
    }


def coverage_rows(ledger, gaps_by_source):
    """The member `coverage`, and of each row all uncovered relations."""
    rows = []
    for source_id in ledger.guarded_sources():
        source = ledger.sources.get(source_id)
        coverage = source.coverage if source is not None else None
        guarded = ledger.guarded[source_id]
        if coverage is not None and coverage["scope"] == "all":
            uncovered = []
        else:
            covered = ledger.covered.get(source_id, set()) if coverage is not None else set()
            uncovered = sorted(guarded - set(covered), key=utf16_key)
        spots = [{"code": code, "relation": relation} for code, relation in ledger.sorted_blind_spots(source_id)]
        names = ("observation_id", "scope", "lsn")
        own = {name: coverage[name] if coverage is not None else None for name in names}
        row = {"source_id": source_id, **own, "guarded": len(guarded), "uncovered": uncovered[:_UNCOVERED_MAX]}
        rows.append({**row, "blind_spots": spots, "gaps": gaps_by_source.get(source_id, 0)})
    return rows


def judge_coverage(ledger, rows, claims):
    """§3.4, the first that applies."""
    at = place("manifest.json", member="coverage")
    if not rows:
        claims.say("coverage", ABSENT, "CLY_COVERAGE_ABSENT", at)
    elif any(row["gaps"] > 0 for row in rows):
        claims.fail("coverage", "CLY_COVERAGE_GAP", at)
    elif any(row["observation_id"] is None for row in rows):
        claims.say("coverage", PARTIAL, "CLY_COVERAGE_UNKNOWN", at)
    elif any(row["uncovered"] for row in rows):
        claims.say("coverage", PARTIAL, "CLY_COVERAGE_UNCOVERED", at)
    elif any(spot["relation"] in ledger.guarded[row["source_id"]] for row in rows for spot in row["blind_spots"]):
        claims.say("coverage", PARTIAL, "CLY_COVERAGE_BLIND", at)


def derived_members(judge, metrics, ledger, rows):
    """(name, value) of the members that follow, in the order of the table of bundle.md §3; lists compared before are bools."""
    receipt = judge.last_receipt
    profiles = ["def/v0"] if ledger.sources else []
    yield "profiles", profiles + (["pef/v0"] if metrics.has_request else [])
    yield "cut", cut_of(receipt)
    yield "documents", metrics.documents
    yield "policies", judge.policies_in_force.is_equal()
    yield "engine", receipt.get("engine")
    yield "trust_root", ledger.trust_root
    yield "runs", metrics.closed_runs.is_equal(), sorted(ledger.runs, key=utf16_key)
    yield "decisions", metrics.decisions
    yield "coverage", rows
    yield "gaps", metrics.gaps.is_equal()
    yield "outages", metrics.outages.is_equal()
    yield "governance", metrics.governance
    yield "performance", metrics.performance()
    yield "cost", metrics.cost
    yield "security", metrics.security()


def last_receipt(line):
    """The receipt of the last line; one without members where it is no decided line."""
    if line is None or line.replaced is not None or line.value["kind"] != "decided":
        return {}
    return line.value["receipt"]["body"]


def cut_of(receipt):
    names = {"kind": "change_kind", "offset": "offset", "partition": "partition"}
    names.update({"state_digest": "state_digest", "receipt_id": "receipt_id"})
    return {name: receipt.get(member) for name, member in names.items()}


def compare_members(value, derived, claims):
    for name, expected, *more in derived:
        own = value[name]
        if name == "runs":
            equal = expected and own["open"] == more[0]
        else:
            equal = expected if isinstance(expected, bool) else own == expected
        if not equal:
            claims.fail("integrity", "CLY_BUNDLE_MANIFEST_MEMBER", place("manifest.json", member=name))


def unnamed_artifacts(manifest, metrics, policies):
    """Artifacts that nothing names: E 13."""
    value = manifest.value
    ledgers = (value.get("opening_ledger"), value.get("closing_ledger"))
    for artifact in manifest.artifacts:
        named = {
            "document": artifact.sha256 in metrics.named_documents,
            "policy": artifact.sha256 in policies,
            "ledger": artifact.sha256 in ledgers,
            "state": True,
        }
        if not named[artifact.kind]:
            yield artifact
