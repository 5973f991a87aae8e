# SPDX-License-Identifier: Apache-2.0
"""Digests, links and the Merkle tree of records.md §2."""

import hashlib

EMPTY_ROOT = hashlib.sha256(b"").digest()


def sha256(data):
    return hashlib.sha256(data).digest()


def sha256_hex(data):
    return hashlib.sha256(data).hexdigest()


def leaf_hash(data):
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def link(body):
    return sha256_hex(b"clyra/prev/v0\n" + body)


def tenant_genesis(stream_id, tenant):
    return sha256_hex(f"clyra/tenant/v0\n{stream_id}\n{tenant}".encode())


def run_genesis(tenant, run_id):
    return sha256_hex(f"clyra/run/v0\n{tenant}\n{run_id}".encode())


def half(data):
    return hashlib.sha256(data).hexdigest()[:32]


class CompactRange:
    """The roots of the perfect subtrees of [0,size), largest first: what an append-only tree must remember."""

    def __init__(self, size=0, nodes=()):
        self.size = size
        self.nodes = list(nodes)

    def append(self, leaf):
        node = leaf
        size = self.size
        while size & 1:
            node = node_hash(self.nodes.pop(), node)
            size >>= 1
        self.nodes.append(node)
        self.size += 1

    def root(self):
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root


def audit_path_length(index, size):
    """How many siblings the path of a leaf has (RFC 6962 §2.1.1), for index < size."""
    length = 0
    last = size - 1
    while last > 0:
        if index & 1 or index < last:
            length += 1
        index >>= 1
        last >>= 1
    return length


def root_of_path(leaf, index, size, path):
    """The root that a path of the right length leads to."""
    node = leaf
    last = size - 1
    for sibling in path:
        while not index & 1 and index == last:
            index >>= 1
            last >>= 1
        node = node_hash(sibling, node) if index & 1 else node_hash(node, sibling)
        index >>= 1
        last >>= 1
    return node
