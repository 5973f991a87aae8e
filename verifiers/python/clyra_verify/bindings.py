# SPDX-License-Identifier: Apache-2.0
"""What a line must satisfy by itself (journal.md §3): its parts belong together and to this bundle."""

from .canonical import canonical
from .hashes import half, sha256_hex
from .lines import body_bytes
from .shapes import is_object

_BY_POSITION = {
    "transaction": lambda body: (body["system_id"], body["timeline"], body["commit_end_lsn"], 0),
    "watermark": lambda body: (body["system_id"], body["timeline"], body["lsn"], body["covers_until"]),
}
_BY_CONTENT = ("coverage", "outage", "accessed", "document")


def receipt_id(receipt):
    return half(f"{receipt['stream_id']}\n{receipt['partition']}\n{receipt['offset']}".encode())


def decided_holds(manifest, data, line):
    """CLY_LINE_BINDING of a decided line."""
    change, receipt = line["change"]["body"], line["receipt"]["body"]
    if receipt["change_digest"] != sha256_hex(body_bytes(data, change)):
        return False
    if receipt["event_id"] != change["event_id"] or receipt["change_kind"] != change["kind"]:
        return False
    if receipt["stream_id"] != manifest.stream_id or receipt["partition"] != manifest.partition:
        return False
    if receipt["receipt_id"] != receipt_id(receipt):
        return False
    if is_object(change.get("command")) and change["command"].get("kind") != change["kind"]:
        return False
    if "facts" not in change or receipt["kind"] != "decided":
        return True
    return _inspection_holds(change["facts"], receipt)


def _inspection_holds(facts, receipt):
    if "inspected_under" not in receipt:
        return receipt["decision"] == "block"
    own = facts.get("inspected_under") if is_object(facts) else None
    return own is not None and own == receipt["inspected_under"]


def observation_holds(body):
    """CLY_LINE_BINDING of an observed line: its id follows from the body, where it can."""
    kind = body["kind"]
    if kind in _BY_POSITION:
        return body["observation_id"] == half("\n".join(str(part) for part in _BY_POSITION[kind](body)).encode())
    if kind in _BY_CONTENT:
        rest = {name: value for name, value in body.items() if name != "observation_id"}
        return body["observation_id"] == half(canonical(rest))
    return True


def tenants_hold(manifest, line):
    """CLY_LINE_TENANT."""
    if line["kind"] == "decided":
        bodies = (line["change"]["body"], line["receipt"]["body"])
    else:
        bodies = (line["observation"]["body"],)
    return all(body["tenant"] == manifest.tenant for body in bodies)
