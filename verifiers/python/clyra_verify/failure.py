# SPDX-License-Identifier: Apache-2.0
"""What ends a verification early."""


class Malformed(Exception):
    """Reading stops: `integrity` is FAIL with this code and nothing else is reached."""

    def __init__(self, code, location=None, message=""):
        super().__init__(code)
        self.code = code
        self.location = location
        self.message = message


class Unreadable(Exception):
    """A file or a folder that is not there or cannot be read."""


class OtherVersion(Exception):
    """The bundle is of a version or a profile that these pages do not describe."""

    def __init__(self, message):
        super().__init__(message)
        self.message = message


def place(file, line=None, byte=None, member=None):
    """A location of the report; lines count from 1, bytes from 0."""
    found = {"file": file}
    if line is not None:
        found["line"] = line
    if byte is not None:
        found["byte"] = byte
    if member is not None:
        found["member"] = member
    return found
