# SPDX-License-Identifier: Apache-2.0
"""`python -m clyra_verify [options] BUNDLE`, or `--batch`: arguments as a JSON list on each line of stdin."""

import json
import os
import sys
from contextlib import suppress

from .report import as_json, as_text, as_verdict
from .verify import verify

USAGE = """usage: python -m clyra_verify [--trust-root F] [--policy P] [--mode head|full] [--previous CHECKPOINT]
       [--disclosures D] [--json] BUNDLE
       python -m clyra_verify --batch        one JSON list of arguments a line in, one verdict a line out"""
EXIT_USAGE = 5
_VALUED = {"--trust-root": "trust_root", "--policy": "policy", "--previous": "previous", "--disclosures": "disclosures"}


class UsageError(Exception):
    """Arguments that say nothing."""


class Options:
    def __init__(self):
        self.trust_root = self.policy = self.previous = self.disclosures = self.bundle = None
        self.mode = "full"
        self.json = False


def read_options(arguments):
    options, left = Options(), list(arguments)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if word == "--json":
            options.json = True
        elif name in _VALUED or name == "--mode":
            if not equals and not left:
                raise UsageError(f"{name} needs a value")
            value = value if equals else left.pop(0)
            if name == "--mode" and value not in ("head", "full"):
                raise UsageError("--mode is head or full")
            setattr(options, _VALUED.get(name, "mode"), value)
        elif word.startswith("--"):
            raise UsageError(f"no such option: {word}")
        elif options.bundle is not None:
            raise UsageError("more than one bundle")
        else:
            options.bundle = word
    if options.bundle is None:
        raise UsageError("no bundle")
    return options


def run_batch(lines, out):
    for line in lines:
        try:
            arguments = json.loads(line)
            answer = as_verdict(verify(read_options([word for word in arguments if word != "--json"])))
        except (ValueError, TypeError, UsageError):
            answer = json.dumps({"claims": [], "exit_code": EXIT_USAGE})
        out.write(answer + "\n")
        out.flush()
    return 0


def main(arguments):
    if arguments == ["--batch"]:
        return run_batch(sys.stdin, sys.stdout)
    try:
        options = read_options(arguments)
    except UsageError as error:
        with suppress(BrokenPipeError):
            sys.stderr.write(f"{error}\n{USAGE}\n")
        return EXIT_USAGE
    outcome = verify(options)
    was_told = tell((as_json if options.json else as_text)(outcome, options.mode) + "\n")
    # An answer that was lost is no verdict.
    return outcome.exit_code if was_told or outcome.exit_code != 0 else EXIT_USAGE


def tell(text):
    """Whether the report went out. Who reads no further (`| head`) has seen enough: the verdict stands."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
        return True
    except OSError as error:
        # Python writes what is left once more at its end, and would end with a code of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return isinstance(error, BrokenPipeError)


def console():
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    console()
