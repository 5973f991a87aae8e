# SPDX-License-Identifier: Apache-2.0
"""The ledger of journal.md §4: what a reader carries from one bundle to the next, as an artifact and in memory."""

import hashlib

from .canonical import canonical
from .grammar import Fault, Rules, parse, utf16_key
from .keys import lent_until
from .lines import LINE_MAX, OPERATIONS, is_touched, split_lines
from .shapes import is_closed, is_digest, is_half, is_int, is_list, is_object, is_position, is_text

SIZE_MAX = 67108864
GRANT_BYTES_MAX = 33554432
PENDING_BYTES_MAX = 8388608
SOURCES_MAX = 1024
COVERED_MAX = 65536
RUNS_MAX = 65536
DELEGATIONS_MAX = 64
SEEN_MAX = 4096
GUARDED_MAX = 16384
BLIND_SPOTS_MAX = 64
_RULES = Rules(LINE_MAX)


class NoLedger(Exception):
    """An artifact that is not of the shape of a ledger."""


class Source:
    """A database that the ledger knows."""

    __slots__ = ("registered", "watermark", "newest", "coverage")

    def __init__(self, registered=False, watermark=None, newest=None, coverage=None):
        self.registered = registered
        self.watermark = watermark
        self.newest = newest
        self.coverage = coverage


class Grant:
    """A grant as its line in the ledger, and what is asked of all of them at every cut."""

    __slots__ = ("line", "source_id", "expires_at")

    def __init__(self, line, source_id, expires_at):
        self.line = line
        self.source_id = source_id
        self.expires_at = expires_at

    def value(self):
        return parse(self.line, _RULES)


class Pending:
    """A touching transaction that is not judged yet: its line in the ledger, its leaf and append time."""

    __slots__ = ("line", "leaf", "append_time")

    def __init__(self, line, leaf, append_time):
        self.line = line
        self.leaf = leaf
        self.append_time = append_time

    def value(self):
        return parse(self.line, _RULES)


class Ledger:
    def __init__(self, genesis):
        self.next_seq = 0
        self.head = genesis
        self.policy = None
        self.trust_root = None
        self.last_decided_at = 0
        self.last_offset = -1
        self.last_outcome_at = None
        self.runs = {}
        self.guarded = {}
        self.sources = {}
        self.covered = {}
        self.blind_spots = {}
        self.seen = {}
        self.delegations = []
        self.grants = {}
        self.grant_bytes = 0
        self.pending = []
        self.pending_bytes = 0

    def lines(self):
        """The canonical lines, without LF, in the order of the artifact."""
        yield canonical(
            {
                **{"kind": "head", "v": 0, "chain": {"next_seq": self.next_seq, "head": self.head}},
                **{"policy": self.policy, "trust_root": self.trust_root, "last_decided_at": self.last_decided_at},
                **{"last_offset": self.last_offset, "last_outcome_at": self.last_outcome_at},
            }
        )
        for run_id in sorted(self.runs, key=utf16_key):
            next_seq, head = self.runs[run_id]
            yield canonical({"kind": "run", "run_id": run_id, "next_seq": next_seq, "head": head})
        yield from self._relations("guarded", self.guarded)
        for source_id in sorted(self.sources, key=utf16_key):
            source = self.sources[source_id]
            yield canonical(
                {
                    **{"kind": "source", "source_id": source_id, "registered": source.registered},
                    **{"watermark": source.watermark, "newest": source.newest, "coverage": source.coverage},
                }
            )
        yield from self._relations("covered", self.covered)
        for source_id in sorted(self.blind_spots, key=utf16_key):
            for code, relation in self.sorted_blind_spots(source_id):
                yield canonical({"kind": "blind_spot", "source_id": source_id, "code": code, "relation": relation})
        for source_id, of in sorted(self.seen, key=lambda pair: (utf16_key(pair[0]), utf16_key(pair[1]))):
            observation_id = self.seen[source_id, of]
            yield canonical({"kind": "seen", "source_id": source_id, "of": of, "observation_id": observation_id})
        for append_time, command, signatures in self.delegations:
            entry = {"kind": "delegation", "append_time": append_time, "command": command, "signatures": signatures}
            yield canonical(entry)
        for token in sorted(self.grants):
            yield self.grants[token].line
        for pending in self.pending:
            yield pending.line

    @staticmethod
    def _relations(kind, by_source):
        for source_id in sorted(by_source, key=utf16_key):
            for relation in sorted(by_source[source_id], key=utf16_key):
                yield canonical({"kind": kind, "source_id": source_id, "relation": relation})

    def sorted_blind_spots(self, source_id):
        def key(spot):
            return utf16_key(spot[0]), spot[1] is not None, utf16_key(spot[1] or "")

        return sorted(self.blind_spots.get(source_id, ()), key=key)

    def digest(self):
        hasher = hashlib.sha256()
        for line in self.lines():
            hasher.update(line + b"\n")
        return hasher.hexdigest()

    def guarded_sources(self):
        """Guarded sources, ascending."""
        return sorted(self.guarded, key=utf16_key)


def read_ledger(chunks, size):
    """The ledger of an artifact. Raises NoLedger."""
    if size > SIZE_MAX:
        raise NoLedger("size")
    reader = _LedgerReader()
    for number, raw in enumerate(split_lines(chunks, hashlib.sha256), 1):
        if raw.too_long or not raw.terminated:
            raise NoLedger(f"line {number}")
        try:
            value = parse(raw.data, _RULES)
        except Fault as fault:
            raise NoLedger(f"line {number}: {fault.code}") from None
        if not reader.take(value, raw.data):
            raise NoLedger(f"line {number}")
    if reader.ledger is None:
        raise NoLedger("no head")
    return reader.ledger


def _or_null(judge):
    return lambda value: value is None or judge(value)


def _closed(judges):
    return lambda value: is_closed(value, tuple(judges)) and all(judge(value[name]) for name, judge in judges.items())


def _is_bool(value):
    return value.__class__ is bool


_SHAPES = {
    "head": {
        "v": lambda value: is_int(value) and value == 0,
        "chain": _closed({"next_seq": is_int, "head": is_digest}),
        "policy": _or_null(is_digest),
        "trust_root": is_digest,
        "last_decided_at": is_int,
        "last_offset": lambda value: is_int(value, -1),
        "last_outcome_at": _or_null(is_int),
    },
    "run": {"run_id": is_text, "next_seq": is_int, "head": is_digest},
    "guarded": {"source_id": is_text, "relation": is_text},
    "source": {
        "source_id": is_text,
        "registered": _is_bool,
        "watermark": _or_null(_closed({"lsn": is_text, "covers_until": is_int})),
        "newest": _or_null(_closed({"system_id": is_text, "timeline": is_int, "lsn": is_position})),
        "coverage": _or_null(
            _closed({"observation_id": is_half, "scope": lambda value: value in ("all", "listed"), "lsn": is_text})
        ),
    },
    "covered": {"source_id": is_text, "relation": is_text},
    "blind_spot": {"source_id": is_text, "code": is_text, "relation": _or_null(is_text)},
    "seen": {"source_id": is_text, "of": is_text, "observation_id": is_half},
    "delegation": {"append_time": is_int, "command": is_object, "signatures": lambda value: value.__class__ is list},
    "grant": {
        **{"token_hash": is_digest, "event_id": is_text, "receipt_id": is_half, "source_id": is_text},
        "relations": lambda value: is_list(value, is_text),
        "operations": lambda value: is_list(value, lambda one: is_text(one) and one in OPERATIONS),
        **{"rows_max": is_int, "not_before": is_int, "expires_at": is_int, "used_by": _or_null(is_half)},
    },
    "pending": {
        **{"observation_id": is_half, "leaf": is_int, "append_time": is_int, "source_id": is_text},
        "committed_at": is_int,
        "relations": lambda value: is_list(value, is_touched),
        "token_hashes": lambda value: is_list(value, is_digest),
    },
}
_KINDS = tuple(_SHAPES)


class _LedgerReader:
    """Takes line after line; each is above the one before, and within the limits."""

    def __init__(self):
        self.ledger = None
        self.last = (-1,)
        self.names = {}
        self.counted = None
        self.count = 0

    def take(self, value, data):
        kind = value.get("kind")
        if not is_text(kind) or kind not in _SHAPES or (kind == "head") != (self.ledger is None):
            return False
        shape = _SHAPES[kind]
        if not is_closed(value, ("kind", *shape)) or not all(judge(value[name]) for name, judge in shape.items()):
            return False
        place = (_KINDS.index(kind), *self._order(kind, value))
        if place <= self.last and kind != "delegation" or place[0] < self.last[0]:
            return False
        self.last = place
        return getattr(self, f"_{kind}")(value, data)

    @staticmethod
    def _order(kind, value):
        if kind in ("guarded", "covered"):
            return utf16_key(value["source_id"]), utf16_key(value["relation"])
        if kind == "blind_spot":
            relation = value["relation"]
            return utf16_key(value["source_id"]), utf16_key(value["code"]), relation is not None, utf16_key(relation or "")
        if kind == "seen":
            return utf16_key(value["source_id"]), utf16_key(value["of"])
        if kind == "pending":
            return (value["leaf"],)
        name = {"run": "run_id", "source": "source_id", "grant": "token_hash"}.get(kind)
        return (utf16_key(value[name]),) if name else ()

    def _shared(self, text):
        """One string for all lines that name the same source or relation."""
        return self.names.setdefault(text, text)

    def _head(self, value, _):
        ledger = self.ledger = Ledger(value["chain"]["head"])
        ledger.next_seq = value["chain"]["next_seq"]
        for name in ("policy", "trust_root", "last_decided_at", "last_offset", "last_outcome_at"):
            setattr(ledger, name, value[name])
        return True

    def _run(self, value, _):
        self.ledger.runs[value["run_id"]] = (value["next_seq"], value["head"])
        return len(self.ledger.runs) <= RUNS_MAX

    def _guarded(self, value, _):
        return self._relation(self.ledger.guarded, value, GUARDED_MAX)

    def _covered(self, value, _):
        return self._relation(self.ledger.covered, value, COVERED_MAX)

    def _relation(self, by_source, value, most):
        by_source.setdefault(self._shared(value["source_id"]), set()).add(value["relation"])
        self.count = self.count + 1 if self.counted is by_source else 1
        self.counted = by_source
        return self.count <= most

    def _source(self, value, _):
        names = ("registered", "watermark", "newest", "coverage")
        self.ledger.sources[self._shared(value["source_id"])] = Source(*(_plain(value[name]) for name in names))
        return len(self.ledger.sources) <= SOURCES_MAX

    def _blind_spot(self, value, _):
        spots = self.ledger.blind_spots.setdefault(value["source_id"], set())
        spots.add((value["code"], value["relation"]))
        return len(spots) <= BLIND_SPOTS_MAX

    def _seen(self, value, _):
        self.ledger.seen[self._shared(value["source_id"]), self._shared(value["of"])] = value["observation_id"]
        return len(self.ledger.seen) <= SEEN_MAX

    def _delegation(self, value, _):
        if lent_until(value["command"]) is None:
            return False
        self.ledger.delegations.append((value["append_time"], value["command"], value["signatures"]))
        return len(self.ledger.delegations) <= DELEGATIONS_MAX

    def _grant(self, value, data):
        grant = Grant(data, self._shared(value["source_id"]), value["expires_at"])
        self.ledger.grants[bytes.fromhex(value["token_hash"])] = grant
        self.ledger.grant_bytes += len(data) + 1
        return self.ledger.grant_bytes <= GRANT_BYTES_MAX

    def _pending(self, value, data):
        self.ledger.pending.append(Pending(data, value["leaf"], value["append_time"]))
        self.ledger.pending_bytes += len(data) + 1
        return self.ledger.pending_bytes <= PENDING_BYTES_MAX


def _plain(value):
    return dict(value) if isinstance(value, dict) else value
