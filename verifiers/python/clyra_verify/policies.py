# SPDX-License-Identifier: Apache-2.0
"""Policy documents, as far as a verifier reads them: their grammar, and what they guard (journal.md §4)."""

from .canonical import read_double
from .failure import place
from .grammar import Fault, Opaque, Rules, parse
from .shapes import is_closed, is_text

SIZE_MAX = 16777216
RELATIONS_MAX = 16384
_DOCUMENT = Rules(
    SIZE_MAX,
    depth_max=64,
    free_names=True,
    read_number=read_double,
    build_depth=1,
    kept_names=frozenset(("guarded",)),
)


class NoPolicy(Exception):
    """A document that is none of these pages."""


class Policies:
    """The policy documents of a bundle that are sound, by digest. What one guards is read again when it is asked for."""

    def __init__(self, container):
        self._container = container
        self._sound = set()

    def read_all(self, manifest, claims):
        """E 5."""
        for artifact in manifest.artifacts:
            if artifact.kind != "policy" or not artifact.sound:
                continue
            name = f"artifacts/{artifact.sha256}"
            try:
                if artifact.size > SIZE_MAX:
                    raise NoPolicy("size")
                read_guarded(self._container.read(name))
            except NoPolicy as error:
                claims.fail("policy", "CLY_POLICY_DOCUMENT", place(name), str(error))
            else:
                self._sound.add(artifact.sha256)

    def __contains__(self, digest):
        return digest in self._sound

    def guarded(self, digest):
        """Source to set of relations; nothing for a document that is not here."""
        if digest not in self._sound:
            return {}
        return read_guarded(self._container.read(f"artifacts/{digest}"))


def read_guarded(data):
    """What a document guards, its entries of one source united. Raises NoPolicy."""
    try:
        value = parse(data, _DOCUMENT)
    except Fault as fault:
        raise NoPolicy(f"{fault.code} at byte {fault.byte}") from None
    if "guarded" not in value:
        return {}
    span = value["guarded"]
    if span.__class__ is not Opaque or span.kind != "list":
        raise NoPolicy("guarded is no list")
    return _entries(data, span)


def _entries(data, span):
    """Reads the list entry by entry, each within what the limit of relations leaves: the text may be large."""
    guarded, count, at = {}, 0, span.start + 1
    while data[at] != 0x5D:
        if data[at] == 0x2C:
            at += 1
        end = _entry_end(data, at)
        entry = parse(data[at:end], _ENTRY) if data[at] == 0x7B else None
        if not is_closed(entry, ("relations", "source_id")) or not is_text(entry["source_id"]):
            raise NoPolicy("an entry of guarded")
        relations = entry["relations"]
        if relations.__class__ is not list or not all(is_text(one) for one in relations):
            raise NoPolicy("relations of an entry of guarded")
        count += len(relations)
        if count > RELATIONS_MAX:
            raise NoPolicy(f"more than {RELATIONS_MAX} guarded relations")
        if relations:
            guarded.setdefault(entry["source_id"], set()).update(relations)
        at = end
    return guarded


_ENTRY = Rules(SIZE_MAX, depth_max=64, free_names=True, read_number=read_double, build_depth=2)


def _entry_end(data, at):
    """Where the value that begins here ends; the text is known to be JSON without white space."""
    depth, in_string = 0, False
    while True:
        byte = data[at]
        if in_string:
            if byte == 0x5C:
                at += 1
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in (0x7B, 0x5B):
            depth += 1
        elif byte in (0x7D, 0x5D):
            if depth == 0:
                return at
            depth -= 1
        elif byte == 0x2C and depth == 0:
            return at
        at += 1
