# SPDX-License-Identifier: Apache-2.0
"""The verification policy: which claims its reader requires (verification.md §2)."""

from .claims import IDS
from .failure import Malformed, place
from .grammar import Fault, Rules, parse
from .shapes import is_closed, is_list, is_text

SIZE_MAX = 65536
_RULES = Rules(SIZE_MAX, white_space=True, free_order=True)
_CODE = "CLY_VERIFICATION_POLICY_SHAPE"


class VerificationPolicy:
    def __init__(self, name, require):
        self.name = name
        self.require = require


DEFAULT = VerificationPolicy("default", [claim for claim in IDS if claim not in ("reperformance", "disclosure")])


def read_policy(data):
    try:
        value = parse(data, _RULES)
    except Fault as fault:
        raise Malformed(_CODE, place("--policy", byte=fault.byte), fault.code) from None
    holds = (
        is_closed(value, ("format", "name", "require"))
        and value["format"] == "clyra/verification-policy/v0"
        and is_text(value["name"])
        and is_list(value["require"], lambda claim: is_text(claim) and claim in IDS)
        and len(set(value["require"])) == len(value["require"])
    )
    if not holds:
        raise Malformed(_CODE, place("--policy"), "a member is missing, too many or of another type")
    return VerificationPolicy(value["name"], list(value["require"]))
