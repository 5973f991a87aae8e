# SPDX-License-Identifier: Apache-2.0
"""The claim `reperformance`: a replay certificate (statements.md §2, verification.md §3.4)."""

from .claims import ABSENT, PARTIAL
from .envelope import REPLAY_PREDICATE, SIZE_MAX, Shapeless, is_replay_predicate, read_envelope
from .failure import place
from .grammar import Fault
from .seals import ATTESTOR, envelope_code

FILE = "replay.dsse.json"


def judge_replay(container, manifest, ring, moment, claims):
    """E 18."""
    at = place(FILE)
    if FILE not in container:
        claims.say("reperformance", ABSENT, "CLY_REPERFORMANCE_ABSENT")
        return
    try:
        envelope = read_envelope(container.read(FILE, 0, SIZE_MAX + 1), is_replay_predicate, one_subject=False)
    except (Fault, Shapeless) as error:
        claims.fail("reperformance", "CLY_REPLAY_SHAPE", at, str(error))
        return
    if envelope.predicate_type != REPLAY_PREDICATE:
        claims.fail("reperformance", "CLY_REPLAY_SHAPE", at)
        return
    says = envelope.predicate
    if not _agrees(envelope, manifest):
        claims.fail("reperformance", "CLY_REPLAY_AGREEMENT", at)
        return
    if ring is None:
        claims.say("reperformance", ABSENT, "CLY_TRUST_ROOT_ABSENT", at)
        return
    code = envelope_code(envelope, ring, ATTESTOR, moment)
    if code is not None:
        claims.fail("reperformance", code, at)
    elif says["result"] == "failed":
        claims.fail("reperformance", "CLY_REPLAY_FAILED", at)
    elif says["result"] == "partial":
        claims.say("reperformance", PARTIAL, "CLY_REPLAY_PARTIAL", at)
    elif says["kind"] == "data":
        claims.say("reperformance", PARTIAL, "CLY_REPLAY_DATA", at)


def _agrees(envelope, manifest):
    says, value = envelope.predicate, manifest.value
    if envelope.manifest_digest() != manifest.digest:
        return False
    if any(says[name] != value[name] for name in ("range", "origin", "engine")):
        return False
    if (says["result"] == "failed") != (says["first_difference"] is not None):
        return False
    return says["result"] == "failed" or (says["result"] == "partial") == bool(says["not_compared"])
