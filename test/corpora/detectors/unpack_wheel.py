# SPDX-License-Identifier: Apache-2.0
"""Lays the data files of a wheel into a folder: unpack_wheel.py WHEEL FOLDER PREFIX...

A wheel is a zip that somebody else wrote. Nothing of it is imported or installed; only files under the prefixes are
written, with data suffixes, below the folder, and no more bytes than the limits say, whatever the zip's own table claims.
Exits with 3 and a sentence on standard error for what is refused.
"""

import pathlib
import stat
import sys
import zipfile

MEMBERS_MAX = 20_000
FILE_BYTES_MAX = 16 * 1024 * 1024
ALL_BYTES_MAX = 64 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
SUFFIXES = (".json", ".jsonl", ".yaml")


class Refused(Exception):
    """What the archive holds that it must not, or lacks."""


def wanted(archive: zipfile.ZipFile, prefixes: list[str]) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > MEMBERS_MAX:
        raise Refused(f"it lists {len(members)} files, at most {MEMBERS_MAX} are read")
    chosen = [m for m in members if m.filename.startswith(tuple(prefixes)) and m.filename.endswith(SUFFIXES)]
    for prefix in prefixes:
        if not any(member.filename.startswith(prefix) for member in chosen):
            raise Refused(f"it holds no data below {prefix}")
    return chosen


def place(folder: pathlib.Path, member: zipfile.ZipInfo) -> pathlib.Path:
    parts = member.filename.split("/")
    if "\\" in member.filename or ":" in member.filename or any(part in ("", ".", "..") for part in parts):
        raise Refused(f"it names the file {member.filename!r}, which may lie outside of the folder")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Refused(f"{member.filename!r} is a link")
    return folder.joinpath(*parts)


def copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: pathlib.Path, left: int) -> int:
    """Returns how many bytes were written."""
    written = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, open(path, "xb") as target:
        while chunk := source.read(CHUNK_BYTES):
            written += len(chunk)
            if written > min(FILE_BYTES_MAX, left):
                raise Refused(f"{member.filename!r} is too large: at most {FILE_BYTES_MAX} bytes a file, {ALL_BYTES_MAX} in all")
            target.write(chunk)
    return written


def unpack(wheel: str, folder: pathlib.Path, prefixes: list[str]) -> int:
    left = ALL_BYTES_MAX
    with zipfile.ZipFile(wheel) as archive:
        members = wanted(archive, prefixes)
        for member in members:
            left -= copy(archive, member, place(folder, member), left)
    return len(members)


def main(arguments: list[str]) -> int:
    wheel, folder, *prefixes = arguments
    try:
        print(unpack(wheel, pathlib.Path(folder), prefixes))
    except (Refused, zipfile.BadZipFile, zipfile.LargeZipFile, FileExistsError, NotImplementedError, EOFError) as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
