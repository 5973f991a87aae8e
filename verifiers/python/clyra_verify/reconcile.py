# SPDX-License-Identifier: Apache-2.0
"""Watermarks and matched lines directly before a cut (journal.md §2) against what is derived (verification.md §3.3)."""

from .grammar import utf16_key
from .hashes import sha256


class CutGroup:
    """The lines that may only stand directly before a cut, since the last line of another kind."""

    def __init__(self, claims, most):
        self._claims = claims
        self._most = most
        self._reset()

    def _reset(self):
        self._open = False
        self._source = None
        self._leaf = -1
        self._count = 0
        self._matched = []

    def _misplaced(self, at):
        self._claims.fail("reconciliation", "CLY_RECONCILE_PLACE", at)

    def watermark(self, at, source_id):
        key = utf16_key(source_id)
        if self._count > 0 or (self._source is not None and key <= self._source):
            self._misplaced(at)
        self._source = key
        self._open = True

    def matched(self, at, line):
        leaf = line.value["leaf"]
        if leaf <= self._leaf:
            self._misplaced(at)
        self._leaf = max(self._leaf, leaf)
        self._open = True
        self._count += 1
        # Of more lines than can be derived the first ones decide: leaves ascend, or the claim has failed already.
        if len(self._matched) <= self._most():
            self._matched.append((leaf, sha256(line.data), at))

    def other(self, at):
        if self._open:
            self._misplaced(at)
        self._reset()

    def end(self, at):
        if self._open:
            self._misplaced(at)

    def cut(self, at, derived):
        expected = [(leaf, sha256(data)) for leaf, data in derived]
        if len(expected) == self._count:
            for own, (leaf, digest, line_at) in zip(expected, self._matched):
                if own != (leaf, digest):
                    self._claims.fail("reconciliation", "CLY_RECONCILE_LINE", line_at)
        else:
            self._compare_by_leaf(at, expected)
        self._reset()

    def _compare_by_leaf(self, at, expected):
        derived = dict(expected)
        standing = {leaf: (digest, line_at) for leaf, digest, line_at in self._matched}
        for leaf in sorted({*derived, *standing}):
            if leaf not in derived:
                self._claims.fail("reconciliation", "CLY_RECONCILE_EXTRA", standing[leaf][1])
            elif leaf not in standing:
                self._claims.fail("reconciliation", "CLY_RECONCILE_MISSING", at)
            elif derived[leaf] != standing[leaf][0]:
                self._claims.fail("reconciliation", "CLY_RECONCILE_LINE", standing[leaf][1])
