# SPDX-License-Identifier: Apache-2.0
"""The claims of a verification: which one fails first with what, and what else may be said of it."""

IDS = (
    *("integrity", "order", "completeness", "authorship", "policy", "reconciliation"),
    *("coverage", "reperformance", "time", "witness", "disclosure"),
)
PASS, FAIL, PARTIAL, ABSENT, UNSUPPORTED = "PASS", "FAIL", "PARTIAL", "ABSENT", "UNSUPPORTED"
_WEIGHT = {FAIL: 4, UNSUPPORTED: 3, PARTIAL: 2, ABSENT: 2, PASS: 0}
LISTED_MAX = 20


class Claims:
    """One status and code a claim: the first failure, else the first of what weighs most."""

    def __init__(self):
        self._found = {}
        self.listed = []
        self.counts = dict.fromkeys((FAIL, UNSUPPORTED, PARTIAL, ABSENT), 0)

    def say(self, claim, status, code, location=None, message=""):
        self.counts[status] += 1
        if len(self.listed) < LISTED_MAX:
            self.listed.append({"claim": claim, "status": status, "code": code, "location": location})
        before = self._found.get(claim)
        if before is None or _WEIGHT[status] > _WEIGHT[before[0]]:
            self._found[claim] = (status, code, location, message)

    def fail(self, claim, code, location=None, message=""):
        self.say(claim, FAIL, code, location, message)

    def failed(self, claim):
        return self._found.get(claim, (PASS,))[0] == FAIL

    def status(self, claim):
        return self._found.get(claim, (PASS,))[0]

    def list(self):
        rows = []
        for claim in IDS:
            status, code, location, message = self._found.get(claim, (PASS, None, None, ""))
            rows.append({"id": claim, "status": status, "code": code, "location": location, "message": message})
        return rows

    @classmethod
    def all(cls, status, code, message=""):
        """The same of every claim: where nothing was read at all."""
        claims = cls()
        for claim in IDS:
            claims.say(claim, status, code, None, message)
        return claims

    @classmethod
    def malformed(cls, code, location, message):
        claims = cls()
        claims.fail("integrity", code, location, message)
        for claim in IDS[1:]:
            claims.say(claim, ABSENT, "CLY_CLAIM_NOT_REACHED")
        return claims
