# SPDX-License-Identifier: Apache-2.0
"""Claims `time` and `witness`: what others than the producer say of the checkpoint (trust.md §6, §7)."""

from .claims import ABSENT, FAIL, PARTIAL, UNSUPPORTED
from .failure import place
from .hashes import sha256, sha256_hex
from .note import COSIGNATURE_SIZE_MAX, LOG_TYPE, WITNESS_TYPE, key_hash, read_cosignature
from .signing import signature_holds
from .timestamps import Foreign, TokenFault, digest_in_name, judge_token

_SECONDS_MAX = 253402300799


def log_operator(trust_root, note):
    """The operator of the key that the checkpoint's first signature line names; None: everything is outside."""
    key = find_note_key(trust_root, note)
    return None if key is None else key.operator


def find_note_key(trust_root, note):
    """The key whose hash stands in a note's first line, one with role log before others."""
    named = note.lines[0].payload[:4]
    fitting = [key for key in trust_root.keys if key_hash(note.origin, LOG_TYPE, key.raw) == named]
    return next((key for key in fitting if "log" in key.roles), fitting[0] if fitting else None)


def check_names(container, claims):
    """E 2: files are named by the digest of their bytes. The cosignatures and the names of tokens that stand."""
    lines, tokens = [], []
    for name in container.names_in("cosignatures"):
        data = container.read(name, 0, COSIGNATURE_SIZE_MAX + 1)
        line = read_cosignature(data)
        if line is None or sha256_hex(data) != name.partition("/")[2]:
            claims.fail("integrity", "CLY_BUNDLE_COSIGNATURE", place(name))
        else:
            lines.append((name, line))
    for name in container.names_in("times"):
        if sha256_hex(container.read(name)) == digest_in_name(name):
            tokens.append(name)
        else:
            claims.fail("integrity", "CLY_BUNDLE_TIME_DIGEST", place(name))
    return lines, tokens


def judge_times(container, names, note, trust_root, cut_time, claims):
    """E 3, of the tokens with these names; the trusted time, or None."""
    if not names:
        claims.say("time", ABSENT, "CLY_TIME_ABSENT")
        return None
    if trust_root is None:
        claims.say("time", ABSENT, "CLY_TRUST_ROOT_ABSENT")
        return None
    sealed = sha256(note.sealed)
    own = log_operator(trust_root, note)
    outside, any_inside = {}, False
    for name in names:
        try:
            authority, upper = judge_token(container.read(name), sealed, trust_root.authorities, cut_time)
        except Foreign:
            continue
        except TokenFault as fault:
            status = UNSUPPORTED if fault.code == "CLY_TIME_ALGORITHM" else FAIL
            claims.say("time", status, fault.code, place(name), str(fault))
            continue
        if authority.operator == own:
            any_inside = True
        else:
            outside[authority.operator] = min(upper, outside.get(authority.operator, upper))
    needed = trust_root.tsa_threshold
    if len(outside) < needed:
        if outside:
            claims.say("time", PARTIAL, "CLY_TIME_QUORUM")
        elif any_inside:
            claims.say("time", PARTIAL, "CLY_TIME_INSIDE")
        else:
            claims.say("time", ABSENT, "CLY_TSA_UNTRUSTED")
        return None
    return None if claims.failed("time") else sorted(outside.values())[needed - 1]


def judge_witnesses(note, files, trust_root, claims):
    """E 16: lines of the checkpoint after the log's own, then those of files."""
    lines = [(file, line) for file, line in _others(note, files) if line.name != note.origin]
    if not lines:
        claims.say("witness", ABSENT, "CLY_WITNESS_ABSENT")
        return
    if trust_root is None:
        claims.say("witness", ABSENT, "CLY_TRUST_ROOT_ABSENT")
        return
    own = log_operator(trust_root, note)
    outside, any_inside = set(), False
    for file, line in lines:
        key = _witness(trust_root, line)
        if key is None:
            continue
        seconds = _seconds(note, line, key)
        if seconds is None:
            claims.fail("witness", "CLY_WITNESS_SIGNATURE", place(file, member=line.name))
        elif key.revoked_at is None and key.valid_from <= seconds * 1000 <= key.valid_to:
            if key.operator == own:
                any_inside = True
            else:
                outside.add(key.operator)
    if len(outside) >= trust_root.witness_threshold:
        return
    if outside:
        claims.say("witness", PARTIAL, "CLY_WITNESS_QUORUM")
    elif any_inside:
        claims.say("witness", PARTIAL, "CLY_WITNESS_INSIDE")
    else:
        claims.say("witness", ABSENT, "CLY_WITNESS_UNKNOWN")


def _others(note, files):
    return [("checkpoint", line) for line in note.lines[1:]] + files


def _witness(trust_root, line):
    for key in trust_root.keys:
        if "witness" in key.roles and key.name == line.name:
            if key_hash(line.name, WITNESS_TYPE, key.raw) == line.payload[:4]:
                return key
    return None


def _seconds(note, line, key):
    """The time of a cosignature whose signature holds, or None."""
    if len(line.payload) != 76:
        return None
    seconds = int.from_bytes(line.payload[4:12], "big")
    signed = f"cosignature/v1\ntime {seconds}\n".encode() + note.text
    if key.alg != "ed25519" or seconds > _SECONDS_MAX or not signature_holds(key.raw, line.payload[12:], signed):
        return None
    return seconds
