// SPDX-License-Identifier: Apache-2.0
export type VerifyFacts = {
  readonly tenant: string;
  readonly origin: string;
  readonly start: number;
  readonly end: number;
  readonly trustRoot: string;
  readonly manifestDigest: string;
};

/**
 * VERIFY.md: how to check a bundle with tools that are not ours. It is unsigned help: what it says about this bundle
 * can be read from the signed files. Each recipe was chosen to end in a line that must be seen, since some tools
 * leave with exit code 0 after a failure.
 */
export function verifyText(facts: VerifyFacts): string {
  return [heading(facts), OWN_TOOL, digests(facts), SIGNATURES, TREE, NOT_PROVED].join('\n\n').concat('\n');
}

function heading({ tenant, origin, start, end, trustRoot }: VerifyFacts): string {
  return `# How to check this bundle

It holds the lines [${start},${end}) of the log \`${origin}\` (tenant \`${tenant}\`).
The trust root is not in here. You received \`trust-root.json\` by another way; its SHA-256 must be
\`${trustRoot}\`, and you should compare that with what you were told at onboarding, not with this file.
This page is unsigned. The formats are in docs/spec of the project.`;
}

const OWN_TOOL = `## With the verifier

    clyra verify --trust-root trust-root.json .

Exit code 0: valid under the verification policy; 1: a claim failed; 2: malformed; 3: unsupported; 4: a required claim
is absent; 5: a file could not be read. The output ends with what a bundle does not prove.`;

function digests({ manifestDigest }: VerifyFacts): string {
  return `## Digests, with coreutils and jq

    sha256sum manifest.json        # ${manifestDigest}
    sha256sum journal.jsonl        # must be .journal.sha256 of manifest.json
    (cd artifacts && for f in *; do echo "$f  $f"; done | sha256sum -c)
    jq -r '.payload' manifest.dsse.json | base64 -d | jq -r '.subject[0].digest.sha256'   # that of manifest.json`;
}

const SIGNATURES = `## Signatures, with openssl 3

Take the public key (base64, 32 bytes) of the role from trust-root.json and make it a PEM file:

    pem() { (printf '302a300506032b6570032100' | xxd -r -p; printf %s "$1" | base64 -d) |
      openssl pkey -pubin -inform DER -out "$2"; }
    pem "<public_key of the key with role log>" log.pem
    pem "<public_key of the key with role bundler>" bundler.pem

The checkpoint's signature covers its first three lines; 4 bytes of key name stand before the 64 of the signature:

    head -n 3 checkpoint > note
    tail -n 1 checkpoint | cut -d ' ' -f 3 | base64 -d | tail -c 64 > note.sig
    openssl pkeyutl -verify -rawin -pubin -inkey log.pem -in note -sigfile note.sig

It must print "Signature Verified Successfully". The envelope signs the DSSE encoding of its payload:

    jq -r .payload manifest.dsse.json | base64 -d > payload
    { printf 'DSSEv1 28 application/vnd.in-toto+json %s ' "$(wc -c < payload | tr -d ' ')"; cat payload; } > pae
    jq -r '.signatures[0].sig' manifest.dsse.json | base64 -d > pae.sig
    openssl pkeyutl -verify -rawin -pubin -inkey bundler.pem -in pae -sigfile pae.sig`;

const TREE = `## Root, with Python 3

Folds the compact range of what came before with the lines of this bundle and compares the root (RFC 6962):

    import hashlib, json
    H = lambda *p: hashlib.sha256(b"".join(p)).digest()
    m = json.load(open("manifest.json"))
    n = m["range"]["start"]; roots = [bytes.fromhex(r) for r in m["frontier"]]
    for line in open("journal.jsonl", "rb"):
        node, k = H(b"\\0", line.rstrip(b"\\n")), n
        while k & 1: node, k = H(b"\\1", roots.pop(), node), k >> 1
        roots.append(node); n += 1
    root = roots.pop()
    while roots: root = H(b"\\1", roots.pop(), root)
    assert n == m["range"]["end"] and root.hex() == m["root"], "the root does not match"
    print("root matches")

It must print "root matches", and the base64 form of the root is the third line of the checkpoint.`;

const NOT_PROVED = `## What this does not prove

That what the intake was told is true, that nothing bypassed the recorded sources, or when anything happened: without
a witness or time-stamp, whoever holds all keys could have made another log. Absent claims are not passed claims.`;
