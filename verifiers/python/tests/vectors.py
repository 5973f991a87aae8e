# SPDX-License-Identifier: Apache-2.0
"""Where the vectors of this repository lie, and how the cases of the suite become bundles."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from clyra_verify.container import open_bundle

FOLDER = Path(__file__).resolve().parents[3] / "schemas" / "vectors"
SUITE = FOLDER / "bundles"
_UNITS_AT_ONCE = 65536
_PACKAGE = Path(__file__).resolve().parents[1]
# VmHWM begins anew when a program is started; ru_maxrss would be that of the tests themselves.
_MEASURED = """
import sys
from clyra_verify.__main__ import main
code = main(sys.argv[1:])
try:
    lines = open("/proc/self/status").read().splitlines()
    sys.stderr.write(next(line for line in lines if line.startswith("VmHWM")).split()[1])
except OSError:
    sys.stderr.write("0")
sys.exit(code)
"""


def measured(*arguments, **options):
    """The verifier as a process of its own that tells its peak memory at its end."""
    return subprocess.run(
        [sys.executable, "-B", "-c", _MEASURED, *arguments],
        env={**os.environ, "PYTHONPATH": str(_PACKAGE)},
        capture_output=True,
        timeout=240,
        **options,
    )


def peak_kib(end):
    return int(end.stderr.split()[-1])


def json_lines(*parts):
    with open(FOLDER.joinpath(*parts), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def json_file(*parts):
    return json.loads(FOLDER.joinpath(*parts).read_text(encoding="utf-8"))


def unpack(archive, folder):
    """An archive of the suite that is sound, as a folder."""
    container = open_bundle(str(archive))
    for name in container.entries:
        put(folder, name, container.read(name))


def put(folder, name, data):
    path = Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def materialize(name, case, scratch):
    """The path of a case's bundle: its archive, or a folder made of it by its steps (schemas/vectors/bundles/README.md)."""
    archive = SUITE / name / case["bundle"]
    if "steps" not in case:
        return archive.resolve()
    folder = Path(scratch, name)
    folder.mkdir(parents=True)
    unpack(archive, folder)
    for step in case["steps"]:
        _STEPS[step["op"]](folder, step)
    return folder


def _write(folder, step):
    data = base64.b64decode(step["base64"]) if "base64" in step else step.get("text", "").encode()
    put(folder, step["name"], data)


def _lines(folder, step):
    path = folder / step["name"]
    lines = path.read_bytes().split(b"\n")
    lines[step["from"] : step["from"] + step["remove"]] = [line.encode() for line in step["lines"]]
    path.write_bytes(b"\n".join(lines))


def _fill(folder, step):
    put(folder, step["name"], step["head"].encode())
    with open(folder / step["name"], "ab") as file:
        left = step["count"]
        while left > 0:
            file.write(step["unit"].encode() * min(left, _UNITS_AT_ONCE))
            left -= _UNITS_AT_ONCE
        file.write(step["tail"].encode())


def _many(folder, step):
    for index in range(step["count"]):
        data = str(index).encode()
        put(folder, f"{step['folder']}/{hashlib.sha256(data).hexdigest()}", data)


_STEPS = {
    "write": _write,
    "lines": _lines,
    "fill": _fill,
    "many": _many,
    "remove": lambda folder, step: (folder / step["name"]).unlink(),
    "symlink": lambda folder, step: os.symlink(step["target"], folder / step["name"]),
    "fifo": lambda folder, step: os.mkfifo(folder / step["name"]),
}


def arguments(name, case, bundle):
    """The arguments of a case for a verifier."""
    found = []
    for option in ("trust_root", "policy", "previous", "disclosures"):
        if option in case:
            found += [f"--{option.replace('_', '-')}", str(SUITE / name / case[option])]
    if "mode" in case:
        found += ["--mode", case["mode"]]
    return [*found, str(bundle)]
