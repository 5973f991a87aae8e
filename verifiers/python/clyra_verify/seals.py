# SPDX-License-Identifier: Apache-2.0
"""Checkpoints and envelope against the manifest, and their signatures (verification.md §3 E 14, 15, 17)."""

from .canonical import canonical
from .envelope import BUNDLE_PREDICATE, EXPORT_PREDICATE
from .failure import place
from .hashes import CompactRange, leaf_hash
from .keys import INVALID, ROLE, UNKNOWN
from .outside import find_note_key
from .signing import signature_holds

LOG = frozenset(("log",))
BUNDLER = frozenset(("bundler",))
EXPORTER = frozenset(("bundler", "operator"))
ATTESTOR = frozenset(("attestor",))


def compare_documents(manifest, documents, claims):
    """E 14."""
    note, log, envelope = documents.checkpoint, documents.bundle_log, documents.envelope
    if (note.origin, note.size, note.root) != (manifest.origin, manifest.end, manifest.root):
        claims.fail("integrity", "CLY_CHECKPOINT_AGREEMENT", place("checkpoint"))
    if log is not None:
        number = manifest.value["bundle_log"]["number"]
        if (log.origin, log.size, log.root) != (f"{manifest.origin}/bundles", number + 1, _bundle_log_root(manifest)):
            claims.fail("integrity", "CLY_BUNDLE_LOG_AGREEMENT", place("bundle-log.checkpoint"))
    if envelope.manifest_digest() != manifest.digest:
        claims.fail("integrity", "CLY_BUNDLE_MANIFEST_DIGEST", place("manifest.dsse.json"))
    value = manifest.value
    if manifest.is_export:
        kind, names = EXPORT_PREDICATE, ("origin", "range", "root")
        expected = {"of": value["export"]["of"], **{name: value[name] for name in names}}
    else:
        kind, names = BUNDLE_PREDICATE, ("origin", "profiles", "range", "root")
        expected = {name: value[name] for name in names}
    if envelope.predicate_type != kind or envelope.predicate != expected:
        claims.fail("integrity", "CLY_DSSE_AGREEMENT", place("manifest.dsse.json"))


def _bundle_log_root(manifest):
    value = manifest.value
    says = value["bundle_log"]
    tree = CompactRange(says["number"], [bytes.fromhex(node) for node in says["frontier"]])
    entry = {"manifest": manifest.digest, "origin": manifest.origin, "range": value["range"], "root": value["root"], "v": 0}
    tree.append(leaf_hash(canonical(entry)))
    return tree.root()


def check_signatures(manifest, documents, ring, moment, claims):
    """E 15; `moment`: the cut's append time, or None."""
    _note(documents.checkpoint, "checkpoint", True, ring, moment, claims)
    if documents.bundle_log is not None:
        _note(documents.bundle_log, "bundle-log.checkpoint", False, ring, moment, claims)
    if documents.previous is not None:
        _note(documents.previous, "--previous", True, ring, moment, claims)
    roles = EXPORTER if manifest.is_export else BUNDLER
    code = envelope_code(documents.envelope, ring, roles, moment)
    if code is not None:
        claims.fail("authorship", code, place("manifest.dsse.json"))
    if moment is not None and moment > ring.trust_root.expires_at:
        claims.fail("authorship", "CLY_TRUST_ROOT_EXPIRED", place("trust-root.json", member="expires_at"))


def _note(note, file, only_one_line, ring, moment, claims):
    first, others = note.lines[0], note.lines[1:]
    if first.name != note.origin or len(first.payload) != 68:
        claims.fail("authorship", "CLY_CHECKPOINT_SIGNATURE", place(file))
        return
    if only_one_line and any(line.name == note.origin for line in others):
        claims.fail("authorship", "CLY_CHECKPOINT_SIGNATURE", place(file))
        return
    key = find_note_key(ring.trust_root, note)
    if key is None:
        code = UNKNOWN
    else:
        code = ring.judge_key(key, LOG, moment)
        if code is None and not signature_holds(key.raw, first.payload[4:], note.text):
            code = INVALID
    if code is not None:
        claims.fail("authorship", code, place(file))


def envelope_code(envelope, ring, roles, moment):
    """None, or why no key of these roles stands behind an envelope, which names none."""
    holding = [
        key
        for key in ring.trust_root.keys
        if key.alg == "ed25519" and signature_holds(key.raw, envelope.signature, envelope.signed)
    ]
    of_role = [key for key in holding if not key.roles.isdisjoint(roles)]
    if not of_role:
        return ROLE if holding else INVALID
    codes = [ring.judge_key(key, roles, moment) for key in of_role]
    return None if None in codes else codes[0]


def compare_previous(manifest, previous, claims):
    """E 17: the checkpoint of the bundle before, as the reader kept it."""
    at = place("--previous")
    if previous.origin != manifest.origin:
        claims.fail("completeness", "CLY_PREVIOUS_ORIGIN", at)
    elif previous.size < manifest.start:
        claims.fail("completeness", "CLY_PREVIOUS_GAP", at)
    elif previous.size > manifest.start:
        claims.fail("completeness", "CLY_PREVIOUS_OVERLAP", at)
    elif previous.root != CompactRange(manifest.start, manifest.frontier).root():
        claims.fail("completeness", "CLY_PREVIOUS_FORK", at)
