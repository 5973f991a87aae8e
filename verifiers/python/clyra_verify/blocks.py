# SPDX-License-Identifier: Apache-2.0
"""Signature blocks of lines and signatures of commands (records.md §3, §4.2; verification.md §3.1)."""

from functools import lru_cache

from .hashes import audit_path_length, leaf_hash, root_of_path, sha256
from .keys import DELEGATIONS_MAX, INVALID, Delegation, lent_key, may_lend
from .lines import body_bytes
from .shapes import decode_base64, is_closed, is_half, is_list, is_object
from .signing import pae, signature_holds

CHANGE_TYPE = "application/vnd.clyra.change.v0+json"
RECEIPT_TYPE = "application/vnd.clyra.receipt.v0+json"
OBSERVATION_TYPE = "application/vnd.clyra.observation.v0+json"
COMMAND_TYPE = "application/vnd.clyra.command.v0+json"
_SIZE_MAX = 1024
_SIGNERS_MAX = 16
# Of the trust root in force: nobody knows it, as in an export, which folds no ledger.
UNKNOWN = object()

_RECORDER = frozenset(("recorder",))
_SERVICES = frozenset(("intake", "enforcer", "recorder", "bundler", "attestor"))
_ANYBODY = _SERVICES | {"operator"}
_OBSERVERS = {
    **dict.fromkeys(("transaction", "watermark", "coverage"), _RECORDER),
    "gap": frozenset(("recorder", "intake")),
    "outage": _SERVICES,
    "document": _SERVICES,
    "accessed": frozenset(("bundler", "attestor", "operator")),
}
INTAKE = frozenset(("intake",))
ENFORCER = frozenset(("enforcer",))

# Of each kind of command the roles of its signers: each entry is filled by one signer, by any of its roles.
_OPERATOR = frozenset(("operator",))
_TWO_OPERATORS = (_OPERATOR, _OPERATOR)
_POLICY_PAIR = (frozenset(("policy_author",)), frozenset(("policy_approver",)))
COMMANDS = {
    "tenant.opened": (_OPERATOR,),
    "source.registered": (_OPERATOR,),
    "policy.activated": _POLICY_PAIR,
    "engine.activated": _POLICY_PAIR,
    "kill_switch.engaged": (_OPERATOR,),
    "kill_switch.lifted": _TWO_OPERATORS,
    "change.resolved": (_OPERATOR,),
    "approval.granted": (frozenset(("approver",)),),
    "approval.revoked": (frozenset(("approver", "operator")),),
    "emergency.reviewed": (frozenset(("approver", "operator", "policy_approver")),),
    "trust_root.activated": _TWO_OPERATORS,
    "key.delegated": (frozenset(("delegator",)),),
}


def observers(kind):
    """The roles of those that may sign an observation; one of an unknown kind everybody who may sign any."""
    return _OBSERVERS.get(kind, _ANYBODY)


@lru_cache(maxsize=2048)
def _send_holds(raw, signature, payload_type, root, size):
    """One send has one signature for all its bodies."""
    payload = b'{"root":"%s","size":%d}' % (root.hex().encode(), size)
    return signature_holds(raw, signature, pae(payload_type, payload))


def judge_block(ring, block, body, payload_type, roles, moment):
    """None, or the code of what is wrong with the signature of a body."""
    raw, code = ring.judge(block["key_id"], roles, moment)
    if code is not None:
        return code
    index, size, path = block["index"], block["size"], block["path"]
    if index >= size or size > _SIZE_MAX or len(path) != audit_path_length(index, size):
        return "CLY_SIG_PATH"
    root = root_of_path(leaf_hash(sha256(body)), index, size, [bytes.fromhex(node) for node in path])
    return None if _send_holds(raw, decode_base64(block["sig"]), payload_type, root, size) else INVALID


def is_refused_as_unsigned(receipt):
    """Whether a receipt says that the signature of its change does not hold."""
    if receipt["kind"] == "recorded":
        return receipt.get("effect") == "ignored"
    reasons = receipt.get("reasons")
    if receipt["decision"] != "block" or not isinstance(reasons, list):
        return False
    return any(is_object(reason) and reason.get("code") == "CLY_CHANGE_SIGNATURE" for reason in reasons)


def is_command(change):
    return "command" in change or change["kind"] in COMMANDS


def judge_command(ring, change, data, moment, in_force):
    """None, or the code of what is wrong with an allowed command. `in_force`: digest of the trust root before it, None before the first, or UNKNOWN."""
    roles = COMMANDS.get(change["kind"])
    if roles is None:
        return "CLY_COMMAND_KIND"
    command = change.get("command")
    signers = _signers(ring, command, change.get("signatures"), data)
    if signers is None or signers[0].subject != command.get("subject"):
        return "CLY_COMMAND_SIGNER"
    if change["kind"] == "approval.granted" and command.get("emergency") is True:
        roles = (_OPERATOR,)
    if not _filled(ring, roles, signers, moment):
        return "CLY_COMMAND_ROLE"
    return _judge_trust_root(ring.trust_root, change["kind"], command, in_force)


def _signers(ring, command, signatures, data):
    """The keys under which all signatures of a command hold, in order, or None."""
    if not is_object(command) or not is_list(signatures, _is_signature, _SIGNERS_MAX) or not signatures:
        return None
    signed = pae(COMMAND_TYPE, data if data is not None else b"")
    found = []
    for entry in signatures:
        key = ring.signer(entry["key_id"])
        if key is None or key.alg != "ed25519" or not signature_holds(key.raw, decode_base64(entry["sig"]), signed):
            return None
        found.append(key)
    return found


def _is_signature(value):
    return is_closed(value, ("key_id", "sig")) and is_half(value["key_id"]) and decode_base64(value["sig"], 64) is not None


def _filled(ring, needed, signers, moment):
    """Whether the signers have the roles, judged like keys, and two roles have two subjects."""
    fitting = [[one for one in signers if ring.judge(one.key_id, roles, moment)[1] is None] for roles in needed]
    if not all(fitting):
        return False
    if len(needed) == 1 or ring.trust_root.single_operator:
        return True
    return any(one.subject != other.subject for one in fitting[0] for other in fitting[1])


def _judge_trust_root(trust_root, kind, command, in_force):
    if kind not in ("tenant.opened", "trust_root.activated"):
        return None
    versions = trust_root.versions()
    named = command.get("trust_root")
    if named not in versions:
        return "CLY_TRUST_ROOT_OTHER"
    if kind == "trust_root.activated":
        before = command.get("replaces")
        if in_force is not UNKNOWN and before != in_force:
            return "CLY_TRUST_ROOT_OTHER"
        if before not in versions or versions.index(named) != versions.index(before) + 1:
            return "CLY_TRUST_ROOT_OTHER"
    return None


def lend(ring, change, data, line_time, tenant_time, standing):
    """The delegation of an allowed key.delegated, if it breaks no rule (trust.md §5). `standing`: delegations before."""
    command = change.get("command")
    key = lent_key(command)
    signers = _signers(ring, command, change.get("signatures"), data)
    if key is None or signers is None or len(signers) != 1 or key["key_id"] in ring.trust_root.by_id:
        return
    lender = ring.trust_root.by_id.get(signers[0].key_id)
    if lender is None or not may_lend(key, lender, command):
        return
    if sum(1 for until in standing if until >= tenant_time) >= DELEGATIONS_MAX:
        return
    ring.lend(Delegation(key, lender, line_time))


def command_bytes(data, change):
    command = change.get("command")
    return body_bytes(data, command) if is_object(command) else None
