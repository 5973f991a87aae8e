# SPDX-License-Identifier: Apache-2.0
"""One verification from its arguments to its report: the reader's files, the bundle's documents, then the lines."""

import os

from . import claims as claim_words
from .bundle import Verification
from .claims import Claims
from .container import open_bundle
from .disclosures import SIZE_MAX as DISCLOSURES_MAX
from .disclosures import read_disclosures
from .envelope import Shapeless, is_any_predicate, read_envelope
from .failure import Malformed, OtherVersion, Unreadable, place
from .grammar import Fault
from .hashes import sha256_hex
from .manifest import read_manifest
from .note import LINES_MAX, read_note
from .note import SIZE_MAX as NOTE_MAX
from .policy_file import DEFAULT, SIZE_MAX as POLICY_MAX
from .policy_file import read_policy
from .trust_root import SIZE_MAX as TRUST_ROOT_MAX
from .trust_root import read_trust_root


class Documents:
    """What stands around the lines: the reader's files, and the signed documents of the bundle."""

    def __init__(self):
        self.trust_root = None
        self.policy = DEFAULT
        self.previous = None
        self.disclosures = None
        self.envelope = None
        self.checkpoint = None
        self.bundle_log = None


class Outcome:
    """What a verification came to."""

    def __init__(self, claims, documents, manifest, forced_exit=None, reason=""):
        self.claims = claims
        self.documents = documents
        self.manifest = manifest
        self.reason = reason
        self.exit_code = self._exit_code() if forced_exit is None else forced_exit

    def _exit_code(self):
        """verification.md §2 from exit code 1 on."""
        rows = self.claims.list()
        required = [row for row in rows if row["id"] in self.documents.policy.require]
        if any(row["status"] == claim_words.FAIL and row["id"] != "coverage" for row in rows):
            return 1
        if any(row["status"] == claim_words.UNSUPPORTED for row in required):
            return 3
        return 4 if any(row["status"] != claim_words.PASS for row in required) else 0


def verify(options):
    """The outcome of a verification; whatever the files hold."""
    documents = Documents()
    try:
        _read_readers_files(options, documents)
        container = open_bundle(options.bundle)
        manifest = _read_documents(container, documents)
        claims = Claims()
        Verification(container, manifest, documents, claims, options.mode == "full").run()
        return Outcome(claims, documents, manifest)
    except Malformed as error:
        text = error.message or error.code
        return Outcome(Claims.malformed(error.code, error.location, error.message), documents, None, 2, text)
    except OtherVersion as error:
        claims = Claims.all(claim_words.UNSUPPORTED, "CLY_BUNDLE_FORMAT", error.message)
        return Outcome(claims, documents, None, 3, error.message)
    except Unreadable as error:
        claims = Claims.all(claim_words.ABSENT, "CLY_CLAIM_NOT_REACHED", str(error))
        return Outcome(claims, documents, None, 5, str(error))


def _read_readers_files(options, documents):
    """§3 A, in its order."""
    if options.trust_root is not None:
        documents.trust_root = read_trust_root(_read(options.trust_root, TRUST_ROOT_MAX, "CLY_TRUST_ROOT_SHAPE"))
    if options.policy is not None:
        documents.policy = read_policy(_read(options.policy, POLICY_MAX, "CLY_VERIFICATION_POLICY_SHAPE"))
    if options.previous is not None:
        documents.previous = read_note(_read(options.previous, NOTE_MAX, "CLY_CHECKPOINT_SHAPE"))
        if documents.previous is None:
            raise Malformed("CLY_CHECKPOINT_SHAPE", place("--previous"))
    if options.disclosures is not None:
        data = _read(options.disclosures, DISCLOSURES_MAX, "CLY_DISCLOSURE_SHAPE")
        documents.disclosures = read_disclosures(data)


def _read(path, size_max, code):
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size > size_max:
                raise Malformed(code, place(path))
            data = file.read(size_max + 1)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    if len(data) > size_max:
        raise Malformed(code, place(path))
    return data


def _read_documents(container, documents):
    """§3 C, in its order."""
    data = container.read("manifest.json")
    manifest = read_manifest(data, sha256_hex(data))
    documents.envelope = _read_envelope(container)
    documents.checkpoint = _read_note(container, "checkpoint")
    if len(documents.checkpoint.lines) + len(container.names_in("cosignatures")) > LINES_MAX:
        raise Malformed("CLY_CHECKPOINT_SHAPE", place("cosignatures"))
    if not manifest.is_export:
        documents.bundle_log = _read_note(container, "bundle-log.checkpoint")
    return manifest


def _read_envelope(container):
    name = "manifest.dsse.json"
    try:
        return read_envelope(container.read(name), is_any_predicate)
    except Fault as fault:
        raise Malformed(fault.code, place(name, byte=fault.byte)) from None
    except Shapeless as error:
        raise Malformed("CLY_DSSE_SHAPE", place(name), str(error)) from None


def _read_note(container, name):
    note = read_note(container.read(name))
    if note is None:
        raise Malformed("CLY_CHECKPOINT_SHAPE", place(name))
    return note
