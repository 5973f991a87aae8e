# SPDX-License-Identifier: Apache-2.0
"""The state artifact and its digest (records.md §2), line by line."""

import hashlib

from .grammar import Fault, Opaque, Rules, parse
from .lines import split_lines
from .shapes import is_text

LINE_MAX = 2097152
_RULES = Rules(LINE_MAX, build_depth=1, kept_names=frozenset(("key", "value")))


class NoState(Exception):
    """An artifact whose lines are no state."""


class _Digest:
    """Buckets into groups, groups into one digest; keys come in ascending order."""

    def __init__(self):
        self._group_digests = hashlib.sha256()
        self._groups = 0
        self._group = hashlib.sha256()
        self._bucket = None
        self._second = None

    def add(self, first, second, line):
        if self._bucket is not None and (first, second) != (self._groups, self._second):
            self._end_bucket()
        while self._groups < first:
            self._end_group()
        if self._bucket is None:
            self._bucket, self._second = hashlib.sha256(), second
        self._bucket.update(line)
        self._bucket.update(b"\n")

    def _end_bucket(self):
        self._group.update(bytes((self._second,)) + self._bucket.digest())
        self._bucket = None

    def _end_group(self):
        self._group_digests.update(self._group.digest())
        self._group = hashlib.sha256()
        self._groups += 1

    def hexdigest(self):
        if self._bucket is not None:
            self._end_bucket()
        while self._groups < 256:
            self._end_group()
        return self._group_digests.hexdigest()


def state_digest(chunks):
    """The digest of a state artifact. Raises NoState."""
    digest, last = _Digest(), None
    for number, raw in enumerate(split_lines(chunks, hashlib.sha256, LINE_MAX), 1):
        if raw.too_long or not raw.terminated:
            raise NoState(f"line {number}")
        key = _key(raw.data)
        if key is None:
            raise NoState(f"line {number}")
        bucket = hashlib.sha256(key).digest()[:2]
        if last is not None and (bucket, key) <= last:
            raise NoState(f"line {number} is not above the one before")
        last = (bucket, key)
        digest.add(bucket[0], bucket[1], raw.data)
    return digest.hexdigest()


def _key(data):
    """The key of a line `{"key":…,"value":{…}}`, or None. All keys are ASCII."""
    try:
        value = parse(data, _RULES)
    except Fault:
        return None
    if value.count != 2 or set(value) != {"key", "value"} or not is_text(value["key"]) or not value["key"].isascii():
        return None
    inner = value["value"]
    return value["key"].encode("ascii") if inner.__class__ is Opaque and inner.kind == "object" else None
