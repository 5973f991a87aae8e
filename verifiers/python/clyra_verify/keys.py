# SPDX-License-Identifier: Apache-2.0
"""Who may sign what and when (trust.md §4, §5)."""

from .grammar import Object
from .hashes import half
from .shapes import decode_base64, is_closed, is_half, is_int, is_list, is_object, is_text

UNKNOWN = "CLY_KEY_UNKNOWN"
ROLE = "CLY_KEY_ROLE"
ALGORITHM = "CLY_KEY_ALGORITHM"
TIME = "CLY_KEY_TIME"
REVOKED = "CLY_KEY_REVOKED"
UNDATED = "CLY_KEY_REVOKED_UNDATED"
INVALID = "CLY_SIG_INVALID"

LENT_ROLES = frozenset(("intake", "enforcer", "recorder"))
WINDOW_MS_MAX = 604800000
DELEGATIONS_MAX = 64
_LENT_NAMES = ("alg", "key_id", "public_key", "roles", "valid_from", "valid_to")


class Delegation:
    """A key that another one lends a role to, from its line on."""

    __slots__ = ("key_id", "raw", "roles", "valid_from", "valid_to", "lender", "append_time", "alg", "subject", "operator")

    def __init__(self, key, lender, append_time):
        self.key_id = key["key_id"]
        self.raw = decode_base64(key["public_key"])
        self.roles = frozenset(key["roles"])
        self.valid_from = key["valid_from"]
        self.valid_to = key["valid_to"]
        self.alg = key["alg"]
        self.lender = lender
        self.append_time = append_time
        self.subject = lender.subject
        self.operator = lender.operator


class KeyRing:
    """The keys of the trust root and the delegations that stand so far."""

    def __init__(self, trust_root):
        self.trust_root = trust_root
        self.trusted_time = None
        self.delegations = {}

    def judge(self, key_id, roles, moment):
        """(raw public key, None), or (None, code): rows 1–7 of trust.md §4. `moment` None: rows 4 and 5 are not judged."""
        key = self.trust_root.by_id.get(key_id)
        if key is not None:
            code = self._entry(key, roles, moment)
            return (key.raw, None) if code is None else (None, code)
        lent = self.delegations.get(key_id)
        if not lent:
            return None, UNKNOWN
        code = None
        for delegation in lent:
            code = self._delegated(delegation, roles, moment)
            if code is None:
                return delegation.raw, None
        return None, code

    def _entry(self, key, roles, moment):
        if key.roles.isdisjoint(roles):
            return ROLE
        if key.alg != "ed25519":
            return ALGORITHM
        return self._times(key, moment)

    def _times(self, key, moment):
        if moment is not None and not key.valid_from <= moment <= key.valid_to:
            return TIME
        return self._revocation(key, moment)

    def _revocation(self, key, moment):
        if key.revoked_at is None:
            return None
        if moment is not None and moment >= key.revoked_at:
            return REVOKED
        if self.trusted_time is None:
            return UNDATED
        return REVOKED if self.trusted_time >= key.revoked_at else None

    def _delegated(self, delegation, roles, moment):
        if delegation.roles.isdisjoint(roles):
            return ROLE
        if moment is not None and not delegation.valid_from <= moment <= delegation.valid_to:
            return TIME
        return self._revocation(delegation.lender, moment) or self._times(delegation.lender, delegation.append_time)

    def judge_key(self, key, roles, moment):
        """The same for a key of the trust root that is at hand."""
        return self._entry(key, roles, moment)

    def lend(self, delegation):
        self.delegations.setdefault(delegation.key_id, []).append(delegation)

    def forget_before(self, moment):
        """Delegations that ended before a cut hold for no later line."""
        for key_id in list(self.delegations):
            kept = [one for one in self.delegations[key_id] if one.valid_to >= moment]
            if kept:
                self.delegations[key_id] = kept
            else:
                del self.delegations[key_id]

    def signer(self, key_id):
        """A key of the trust root, or a delegation, by its id."""
        return self.trust_root.by_id.get(key_id) or next(iter(self.delegations.get(key_id, ())), None)


def lent_key(command):
    """The member `key` of a command key.delegated where it has its shape, else None."""
    key = command.get("key") if is_object(command) else None
    if key.__class__ is not Object or not is_closed(key, _LENT_NAMES):
        return None
    if not is_text(key["alg"]) or not is_half(key["key_id"]) or decode_base64(key["public_key"], 32) is None:
        return None
    if not is_list(key["roles"], is_text) or not is_int(key["valid_from"]) or not is_int(key["valid_to"]):
        return None
    return key


def lent_until(command):
    """The `valid_to` of the key of a command key.delegated, or None: without one no ledger carries it."""
    key = command.get("key") if is_object(command) else None
    until = key.get("valid_to") if is_object(key) else None
    return until if is_int(until) else None


def may_lend(key, lender, command):
    """The rules of trust.md §5 that follow from the key, the lender and the command alone."""
    if "delegator" not in lender.roles or command.get("replaces", "") is not None:
        return False
    roles = key["roles"]
    if not roles or len(set(roles)) != len(roles) or not set(roles) <= LENT_ROLES or not set(roles) <= lender.roles:
        return False
    if not 0 <= key["valid_to"] - key["valid_from"] <= WINDOW_MS_MAX:
        return False
    if key["valid_from"] < lender.valid_from or key["valid_to"] > lender.valid_to:
        return False
    return key["alg"] == "ed25519" and key["key_id"] == half(decode_base64(key["public_key"]))
