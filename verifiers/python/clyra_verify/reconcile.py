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
        self._leaf = 0
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
        if self._count >= self._most():
            # One that no pending transaction can stand for is left out of everything else.
            self._claims.fail("reconciliation", "CLY_RECONCILE_EXTRA", at)
            return
        leaf = line.value["leaf"]
        if leaf < self._leaf:
            self._misplaced(at)
        self._leaf = leaf
        self._open = True
        self._count += 1
        self._matched.append((leaf, sha256(line.data), at))

    def other(self, at):
        if self._open:
            self._misplaced(at)
        self._reset()

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
        """Both lists from their first entries on, the lesser leaf first, up to the first difference."""
        for index in range(max(len(expected), len(self._matched))):
            own = expected[index] if index < len(expected) else None
            standing = self._matched[index] if index < len(self._matched) else None
            if own is None or (standing is not None and standing[0] < own[0]):
                self._claims.fail("reconciliation", "CLY_RECONCILE_EXTRA", standing[2])
            elif standing is None or own[0] < standing[0]:
                self._claims.fail("reconciliation", "CLY_RECONCILE_MISSING", at)
            elif own != standing[:2]:
                self._claims.fail("reconciliation", "CLY_RECONCILE_LINE", standing[2])
            else:
                continue
            return
