# SPDX-License-Identifier: Apache-2.0
"""The files of a bundle as a folder or as a USTAR archive (bundle.md §1, §2; verification.md §3 B)."""

import os
import re
import stat

from .failure import Malformed, Unreadable, place
from .manifest import SIZE_MAX as MANIFEST_SIZE_MAX
from .manifest import names_export

CHUNK_BYTES = 65536
ENTRIES_MAX = 8192
_BLOCK = 512
_MIB = 1048576
# Name: number in the table of bundle.md §1, bytes at most.
_SINGLE = {
    "manifest.json": (1, _MIB),
    "manifest.dsse.json": (2, _MIB),
    "checkpoint": (3, 16384),
    "bundle-log.checkpoint": (4, 16384),
    "replay.dsse.json": (7, _MIB),
    "VERIFY.md": (8, _MIB),
    "journal.jsonl": (10, 1099511627776),
}
# Folder: number, name inside, bytes at most each, files at most.
_FOLDERS = {
    "cosignatures": (5, re.compile(rb"[0-9a-f]{64}\Z"), 1024, 31),
    "times": (6, re.compile(rb"[0-9a-f]{64}\.tsr\Z"), 16384, 16),
    "artifacts": (9, re.compile(rb"[0-9a-f]{64}\Z"), 1073741824, 4096),
}
_NEEDED = ("manifest.json", "manifest.dsse.json", "checkpoint", "bundle-log.checkpoint", "journal.jsonl")


class Entry:
    """Where the bytes of a file are: a path of its own, or a place in an archive."""

    __slots__ = ("name", "path", "offset", "size")

    def __init__(self, name, path, offset, size):
        self.name = name
        self.path = path
        self.offset = offset
        self.size = size


def _place_of(path):
    """The number and the limit of a file's name, or None."""
    try:
        text = path.decode("ascii")
    except UnicodeDecodeError:
        return None
    if text in _SINGLE:
        return _SINGLE[text]
    folder, slash, name = text.partition("/")
    if not slash or folder not in _FOLDERS:
        return None
    number, pattern, size_max, _ = _FOLDERS[folder]
    return (number, size_max) if pattern.match(name.encode()) else None


class Container:
    """The files of a bundle by name; reads them piece by piece."""

    def __init__(self, entries):
        self.entries = entries

    def __contains__(self, name):
        return name in self.entries

    def names_in(self, folder):
        return sorted(name for name in self.entries if name.startswith(folder + "/"))

    def size(self, name):
        return self.entries[name].size

    def chunks(self, name, start=0, end=None):
        """The bytes [start,end) of a file, in pieces."""
        entry = self.entries[name]
        left = (entry.size if end is None else min(end, entry.size)) - start
        try:
            with open(entry.path, "rb", buffering=0) as file:
                file.seek(entry.offset + start)
                while left > 0:
                    chunk = file.read(min(CHUNK_BYTES, left))
                    if not chunk:
                        raise Unreadable(f"{name} became shorter while it was read")
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise Unreadable(f"{name}: {error.strerror}") from None

    def read(self, name, start=0, end=None):
        return b"".join(self.chunks(name, start, end))


def open_bundle(path):
    try:
        kind = os.stat(path).st_mode
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    if stat.S_ISDIR(kind):
        return _open_folder(path)
    if stat.S_ISREG(kind) and path.endswith(".tar"):
        return _open_archive(path)
    raise Unreadable(f"{path} is neither a folder nor a file whose name ends in .tar")


def _open_folder(path):
    root = os.fsencode(path)
    found = []
    for name in _listing(root, found):
        found.append(name)
        if name.decode("ascii", "replace") in _FOLDERS and stat.S_ISDIR(os.lstat(os.path.join(root, name)).st_mode):
            for inside in _listing(os.path.join(root, name), found):
                found.append(name + b"/" + inside)
    entries, counts = {}, dict.fromkeys(_FOLDERS, 0)
    for name in sorted(found):
        entry = _judge(root, name)
        if entry is not None:
            entries[entry.name] = entry
            _count(counts, entry.name)
    for folder, count in counts.items():
        if count > _FOLDERS[folder][3]:
            raise Malformed("CLY_BUNDLE_FILE_COUNT", place(folder))
    container = Container(entries)
    _require(container)
    return container


def _listing(folder, found):
    """The names in a folder; the listing ends where all that was found is too much."""
    try:
        with os.scandir(folder) as scan:
            for entry in scan:
                if len(found) >= ENTRIES_MAX:
                    raise Malformed("CLY_BUNDLE_FILE_COUNT", None, f"more than {ENTRIES_MAX} entries")
                yield entry.name
    except OSError as error:
        raise Unreadable(f"{os.fsdecode(folder)}: {error.strerror}") from None


def _judge(root, name):
    """The entry of a file that may stand in a bundle; None for one of its folders."""
    shown = name.decode("utf-8", "replace")
    path = os.path.join(root, name)
    try:
        status = os.lstat(path)
    except OSError as error:
        raise Unreadable(f"{shown}: {error.strerror}") from None
    if shown in _FOLDERS:
        if not stat.S_ISDIR(status.st_mode):
            raise Malformed("CLY_BUNDLE_FILE_KIND", place(shown))
        return None
    found = _place_of(name)
    if found is None:
        raise Malformed("CLY_BUNDLE_FILE_UNKNOWN", place(shown))
    if not stat.S_ISREG(status.st_mode):
        raise Malformed("CLY_BUNDLE_FILE_KIND", place(shown))
    if status.st_size > found[1]:
        raise Malformed("CLY_BUNDLE_FILE_SIZE", place(shown))
    return Entry(shown, path, 0, status.st_size)


def _count(counts, name):
    folder = name.partition("/")[0]
    if folder in counts:
        counts[folder] += 1


def _require(container):
    """The files that must stand, and the one that must not in an export."""
    is_export = "manifest.json" in container and names_export(container.read("manifest.json", 0, MANIFEST_SIZE_MAX + 1))
    for name in _NEEDED:
        if name == "bundle-log.checkpoint" and is_export:
            continue
        if name not in container:
            raise Malformed("CLY_BUNDLE_FILE_MISSING", place(name))
    if is_export and "bundle-log.checkpoint" in container:
        raise Malformed("CLY_BUNDLE_FILE_UNKNOWN", place("bundle-log.checkpoint"))


def _open_archive(path):
    try:
        with open(path, "rb") as file:
            total = os.fstat(file.fileno()).st_size
            entries, end = _walk(file, path, total)
            container = Container(entries)
            _require(_readable(container, total))
            _require_end(file, container, end, total)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    return container


def _readable(container, total):
    """The same files, the last one as short as the archive is: for a first look at the manifest."""
    entries = {}
    for name, entry in container.entries.items():
        size = max(0, min(entry.size, total - entry.offset))
        entries[name] = Entry(name, entry.path, entry.offset, size)
    return Container(entries)


def _walk(file, path, total):
    """All headers; where the walk ended."""
    entries, counts = {}, dict.fromkeys(_FOLDERS, 0)
    at, last = 0, (0, b"")
    while at + _BLOCK <= total:
        file.seek(at)
        header = file.read(_BLOCK)
        if header == bytes(_BLOCK):
            break
        name, size = _read_header(header)
        shown = name.decode("ascii", "replace")
        found = _place_of(name)
        if found is None:
            raise Malformed("CLY_BUNDLE_FILE_UNKNOWN", place(shown, byte=at))
        if (found[0], name) <= last:
            raise Malformed("CLY_TAR_HEADER", place(shown, byte=at), "out of order")
        if size > found[1]:
            raise Malformed("CLY_BUNDLE_FILE_SIZE", place(shown, byte=at))
        _count(counts, shown)
        folder = shown.partition("/")[0]
        if folder in counts and counts[folder] > _FOLDERS[folder][3]:
            raise Malformed("CLY_BUNDLE_FILE_COUNT", place(shown, byte=at))
        last = (found[0], name)
        entries[shown] = Entry(shown, path, at + _BLOCK, size)
        at += _BLOCK + -(-size // _BLOCK) * _BLOCK
    return entries, at


def _read_header(header):
    """Name and size of a header that is exactly the computed one."""
    name = header[:100].partition(b"\0")[0]
    digits = header[124:135]
    if re.match(rb"[0-7]{11}\Z", digits) and name.isascii():
        size = int(digits, 8)
        if compute_header(name, size) == header:
            return name, size
    raise Malformed("CLY_TAR_HEADER", place(name.decode("ascii", "replace")))


def compute_header(name, size):
    header = bytearray(_BLOCK)
    header[0 : len(name)] = name
    header[100:108] = b"0000644\0"
    header[108:124] = b"0000000\0" * 2
    header[124:136] = b"%011o\0" % size
    header[136:148] = b"00000000000\0"
    header[148:156] = b" " * 8
    header[156] = 0x30
    header[257:265] = b"ustar\00000"
    header[329:345] = b"0000000\0" * 2
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def _require_end(file, container, end, total):
    """Paddings are zeros, and after the last one stand 1,024 zero bytes and nothing."""
    for entry in container.entries.values():
        rest = -entry.size % _BLOCK
        file.seek(entry.offset + entry.size)
        if entry.offset + entry.size + rest > total or file.read(rest) != bytes(rest):
            raise Malformed("CLY_TAR_END", place(entry.name))
    file.seek(end)
    if total != end + 2 * _BLOCK or file.read(2 * _BLOCK) != bytes(2 * _BLOCK):
        raise Malformed("CLY_TAR_END", None)
