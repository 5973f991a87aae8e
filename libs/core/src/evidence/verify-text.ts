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
 * can be read from the signed files. Each recipe ends in a line that must be seen, since some tools leave with exit
 * code 0 after a failure. test/recipes runs them as they stand.
 */
export function verifyText(facts: VerifyFacts): string {
  const sections = [heading(facts), OWN_TOOL, BEGIN, DIGESTS, CHECKPOINT, ENVELOPE, TREE, TIME, NOT_PROVED];
  return sections.join('\n\n').concat('\n');
}

function heading({ tenant, origin, start, end, trustRoot, manifestDigest }: VerifyFacts): string {
  return `# How to check this bundle

It holds the lines [${start},${end}) of the log \`${origin}\` (tenant \`${tenant}\`). Its manifest.json has the SHA-256
\`${manifestDigest}\`.
The trust root is not in here. You received \`trust-root.json\` by another way; its SHA-256 must be
\`${trustRoot}\`, and you should compare that with what you were told at onboarding, not with this file.
This page is unsigned. The formats are in docs/spec of the project.`;
}

const OWN_TOOL = `## With the verifier

    clyra verify --trust-root trust-root.json .

Exit code 0: valid under the verification policy; 1: a claim failed; 2: malformed; 3: unsupported; 4: a required claim
is absent; 5: a file could not be read. The output ends with what a bundle does not prove.`;

const BEGIN = `## Without it

The recipes need bash, coreutils, Python 3 and openssl 3. Begin in this folder; nothing is written into it:

    export TRUST_ROOT="\${TRUST_ROOT:-../trust-root.json}" WORK="\${WORK:-$(mktemp -d)}"

**Each must print the line in quotes.** Where that line does not come, the check has failed, whatever the exit code says.`;

const DIGESTS = `## Digests: the envelope names the manifest, the manifest names the rest

    python3 - > "$WORK/sums" <<'END'
    import base64, json
    envelope = json.load(open("manifest.dsse.json"))
    statement = json.loads(base64.b64decode(envelope["payload"]))
    manifest = json.load(open("manifest.json"))
    print(statement["subject"][0]["digest"]["sha256"] + "  manifest.json")
    print(manifest["journal"]["sha256"] + "  journal.jsonl")
    for one in manifest["artifacts"]:
        print(one["sha256"] + "  artifacts/" + one["sha256"])
    END
    sha256sum -c --quiet "$WORK/sums" && echo "digests match"

It must print "digests match".`;

const CHECKPOINT = `## Checkpoint: the log's signature over size and root

The signature covers the first three lines; in its line 4 bytes of key name stand before the 64 of the signature.

    python3 - "$TRUST_ROOT" "$WORK" log <<'END'
    import base64, json, sys
    root, work, role = sys.argv[1:]
    keys = [key for key in json.load(open(root))["keys"] if role in key["roles"]]
    for n, key in enumerate(keys):
        der = bytes.fromhex("302a300506032b6570032100") + base64.b64decode(key["public_key"])
        open(f"{work}/{role}-{n}.der", "wb").write(der)
    END
    head -n 3 checkpoint > "$WORK/note"
    sed -n 5p checkpoint | cut -d ' ' -f 3 | base64 -d | tail -c 64 > "$WORK/note.sig"
    for key in "$WORK"/log-*.der; do
      openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$key" -in "$WORK/note" -sigfile "$WORK/note.sig"
    done

It must print "Signature Verified Successfully" for one of the keys.`;

const ENVELOPE = `## Envelope: the bundler's signature over the manifest's digest

    python3 - "$TRUST_ROOT" "$WORK" bundler <<'END'
    import base64, json, sys
    root, work, role = sys.argv[1:]
    keys = [key for key in json.load(open(root))["keys"] if role in key["roles"]]
    for n, key in enumerate(keys):
        der = bytes.fromhex("302a300506032b6570032100") + base64.b64decode(key["public_key"])
        open(f"{work}/{role}-{n}.der", "wb").write(der)
    envelope = json.load(open("manifest.dsse.json"))
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    open(f"{work}/pae", "wb").write(encoded)
    open(f"{work}/pae.sig", "wb").write(base64.b64decode(envelope["signatures"][0]["sig"]))
    END
    for key in "$WORK"/bundler-*.der; do
      openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$key" -in "$WORK/pae" -sigfile "$WORK/pae.sig"
    done

It must print "Signature Verified Successfully" for one of the keys.`;

const TREE = `## Root: the lines lead to the checkpoint

Folds the compact range of what came before with the lines of this bundle (RFC 6962) and compares with the checkpoint:

    python3 - <<'END'
    import base64, hashlib, json
    def h(*parts):
        return hashlib.sha256(b"".join(parts)).digest()
    manifest = json.load(open("manifest.json"))
    n = manifest["range"]["start"]
    roots = [bytes.fromhex(root) for root in manifest["frontier"]]
    for line in open("journal.jsonl", "rb"):
        node, k = h(b"\\0", line.removesuffix(b"\\n")), n
        while k & 1:
            node, k = h(b"\\1", roots.pop(), node), k >> 1
        roots.append(node)
        n += 1
    root = roots.pop()
    while roots:
        root = h(b"\\1", roots.pop(), root)
    size, wanted = open("checkpoint").read().split("\\n")[1:3]
    assert str(n) == size, f"{n} lines, the checkpoint says {size}"
    assert base64.b64encode(root).decode() == wanted, "the root is another one"
    print("root matches")
    END

It must print "root matches".`;

const TIME = `## Time, where \`times/\` has tokens: the checkpoint existed when somebody else's clock said so

Certificates are judged at the time that the token states, since they end long before the bundle does.

    python3 - "$TRUST_ROOT" "$WORK" <<'END'
    import base64, json, ssl, sys
    root, work = sys.argv[1:]
    with open(f"{work}/tsa.pem", "w") as out:
        for one in json.load(open(root)).get("time_authorities", []):
            out.write(ssl.DER_cert_to_PEM_cert(base64.b64decode(one["certificate"])))
    END
    head -n 5 checkpoint > "$WORK/sealed"
    for token in times/*.tsr; do
      stated="$(openssl ts -reply -in "$token" -text | sed -n 's/^Time stamp: //p')"
      openssl ts -verify -data "$WORK/sealed" -in "$token" -CAfile "$WORK/tsa.pem" -partial_chain \\
        -attime "$(date -d "$stated" +%s)" && echo "existed at $stated"
    done

It must print "Verification: OK", and then the time.`;

const NOT_PROVED = `## What this does not prove

That what the intake was told is true, that nothing bypassed the recorded sources, or when anything happened: without
a witness or time-stamp, whoever holds all keys could have made another log. Absent claims are not passed claims.`;
