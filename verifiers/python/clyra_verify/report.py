# SPDX-License-Identifier: Apache-2.0
"""The report of a verification, for machines and for people (verification.md §7)."""

import json

from . import __version__

_VERDICTS = {0: "valid", 1: "invalid", 2: "malformed", 3: "unsupported", 4: "policy_not_met", 5: "io_error"}
NOT_PROVED = (
    "that facts about a request are true",
    "when anything happened, beyond what the claim time says",
    "that the log has no second version, beyond what the claim witness says",
    "that decisions follow from policy and state, beyond what the claim reperformance says",
    "changes around the guarded relations, in gaps and blind spots, or after the horizon",
    "what VERIFY.md says",
)


def report(outcome, mode):
    manifest, trust_root, policy = outcome.manifest, outcome.documents.trust_root, outcome.documents.policy
    return {
        "verdict": _VERDICTS[outcome.exit_code],
        "exit_code": outcome.exit_code,
        "reason": outcome.reason or _reason(outcome),
        "verifier": {"name": "clyra-verify-python", "version": __version__},
        "mode": mode,
        "bundle": None if manifest is None else _bundle(manifest),
        "trust_root": None if trust_root is None else _trust_root(trust_root),
        "policy": {"name": policy.name, "require": policy.require},
        "claims": outcome.claims.list(),
        "findings": {"counts": outcome.claims.counts, "listed": outcome.claims.listed},
        "not_proved": list(NOT_PROVED),
    }


def _bundle(manifest):
    value = manifest.value
    return {
        **{"tenant": manifest.tenant, "origin": manifest.origin, "range": dict(value["range"]), "root": value["root"]},
        **{"manifest_digest": manifest.digest, "trust_root_named": value["trust_root"]},
        "separation": manifest.separation,
    }


def _trust_root(trust_root):
    return {"digest": trust_root.digest, "version": trust_root.version, "single_operator": trust_root.single_operator}


def _reason(outcome):
    for row in outcome.claims.list():
        if row["status"] == "FAIL" and (row["id"] != "coverage" or outcome.exit_code == 4):
            return f"{row['id']} is FAIL {row['code']}"
    if outcome.exit_code == 0:
        return "every claim that the policy requires is PASS"
    lacking = [row for row in outcome.claims.list() if row["id"] in outcome.documents.policy.require and row["status"] != "PASS"]
    return "; ".join(f"{row['id']} is {row['status']} {row['code']}" for row in lacking)


def as_json(outcome, mode):
    return json.dumps(report(outcome, mode), ensure_ascii=False, separators=(",", ":"))


def as_verdict(outcome):
    """The line of the batch mode: exit code and claims."""
    claims = [[row["id"], row["status"], row["code"]] for row in outcome.claims.list()]
    return json.dumps({"exit_code": outcome.exit_code, "claims": claims}, separators=(",", ":"))


def as_text(outcome, mode):
    says = report(outcome, mode)
    lines = [f"{says['verdict']} (exit {says['exit_code']}): {says['reason']}"]
    if says["bundle"] is not None:
        bundle = says["bundle"]
        lines.append(f"bundle      {bundle['origin']} [{bundle['range']['start']},{bundle['range']['end']}) {mode} mode")
    if says["trust_root"] is not None:
        root = says["trust_root"]
        single = ", one person may hold all keys" if root["single_operator"] else ""
        lines.append(f"trust root  version {root['version']}{single}: {root['digest']}")
    for row in says["claims"]:
        at = "" if row["location"] is None else " at " + " ".join(f"{name} {value}" for name, value in row["location"].items())
        lines.append(f"  {row['id']:<14}  {row['status']:<11}  {row['code'] or ''}{at}".rstrip())
    lines.append("A bundle does not prove:")
    lines.extend(f"  - {text}" for text in says["not_proved"])
    return "\n".join(lines)
