# SPDX-License-Identifier: Apache-2.0
"""Artifacts: that they are what the manifest lists, the opening state and the opening ledger (E 4, 6, 7)."""

import hashlib

from .failure import place
from .ledger import NoLedger, read_ledger
from .state import NoState, state_digest


def check_artifacts(container, manifest, claims):
    """E 4: each listed one, then each file that is not listed."""
    for artifact in manifest.artifacts:
        name = f"artifacts/{artifact.sha256}"
        at = place(name)
        if name not in container:
            claims.fail("integrity", "CLY_BUNDLE_ARTIFACT_MISSING", at)
            continue
        artifact.sound = True
        if container.size(name) != artifact.size:
            artifact.sound = False
            claims.fail("integrity", "CLY_BUNDLE_ARTIFACT_SIZE", at)
        hasher = hashlib.sha256()
        for chunk in container.chunks(name):
            hasher.update(chunk)
        if hasher.hexdigest() != artifact.sha256:
            artifact.sound = False
            claims.fail("integrity", "CLY_BUNDLE_ARTIFACT_DIGEST", at)
    listed = {f"artifacts/{artifact.sha256}" for artifact in manifest.artifacts}
    for name in container.names_in("artifacts"):
        if name not in listed:
            claims.fail("integrity", "CLY_BUNDLE_ARTIFACT_UNLISTED", place(name))


def check_state(container, manifest, claims):
    """E 6: the state from which a replay can start."""
    states = [artifact for artifact in manifest.artifacts if artifact.kind == "state"]
    at = place("manifest.json", member="artifacts")
    if len(states) != (1 if manifest.start > 0 else 0):
        claims.fail("completeness", "CLY_STATE_ARTIFACT", at)
        return
    for artifact in states:
        if not artifact.sound:
            continue
        name = f"artifacts/{artifact.sha256}"
        try:
            digest = state_digest(container.chunks(name))
        except NoState as error:
            claims.fail("completeness", "CLY_STATE_SHAPE", place(name), str(error))
            continue
        if digest != manifest.value["opening_state"]:
            claims.fail("completeness", "CLY_STATE_DIGEST", place(name))


def sound_ledger(manifest, digest):
    """The sound artifact of kind ledger with this digest, or None."""
    for artifact in manifest.artifacts:
        if artifact.kind == "ledger" and artifact.sha256 == digest and artifact.sound:
            return artifact
    return None


def read_opening_ledger(container, manifest):
    """(ledger, None), or (None, code): E 7."""
    artifact = sound_ledger(manifest, manifest.value["opening_ledger"])
    if artifact is None:
        return None, "CLY_LEDGER_OPENING"
    name = f"artifacts/{artifact.sha256}"
    try:
        return read_ledger(container.chunks(name), container.size(name)), None
    except NoLedger:
        return None, "CLY_LEDGER_SHAPE"
