// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ENGINE, type LogBuilder, STREAM, TENANT } from './log-builder.ts';
import {
  canonical,
  digestOf,
  frontierOf,
  hexOf,
  type Loose,
  signBytes,
  signPae,
  type TestKey,
  treeRoot,
} from './primitives.ts';

export const ORIGIN = `clyra.example/${TENANT}`;
const INTOTO = 'application/vnd.in-toto+json';

/** A bundle in memory: file names and their bytes, and the trust root that goes with it. */
export interface BuiltBundle {
  readonly files: Map<string, Buffer>;
  readonly trustRoot: Buffer;
  readonly manifest: Loose;
}

/** What stands before a range. */
export interface Before {
  readonly leaves: readonly Buffer[];
  readonly ledger: string | null;
  readonly manifestDigest: string | null;
}

export const EMPTY: Before = { leaves: [], ledger: null, manifestDigest: null };
/** The same state stands at each cut: verifiers do not follow it. */
export const STATE: readonly Loose[] = [
  { key: 'alpha', value: { n: 1 } },
  { key: 'beta', value: { n: 2 } },
  { key: 'gamma', value: { text: 'x' } },
];

export function stateDigest(): string {
  const buckets = Array.from({ length: 256 }, () => '');
  for (const entry of STATE) {
    const bucket = digestOf(entry.key)[0] as number;
    buckets[bucket] += `${canonical(entry)}\n`;
  }
  return hexOf(Buffer.concat(buckets.map((bucket) => digestOf(bucket))));
}

export function trustRootOf(builder: LogBuilder): Buffer {
  const root = {
    format: 'clyra/trust-root/v0',
    version: 1,
    expires_at: 20_000_000,
    log_origin: 'clyra.example',
    single_operator: false,
    keys: Object.values(builder.keys).map((key) => ({ ...key.record })),
  };
  builder.edits.trustRoot?.(root);
  return Buffer.from(canonical(root));
}

/** Seals the lines of a builder. `stated`: the members of the manifest that a scenario knows. */
export function seal(
  builder: LogBuilder,
  before: Before,
  outcome: { readonly ledger: Loose; readonly stated: Loose },
): BuiltBundle & { next: Before } {
  const { ledger, stated } = outcome;
  const raw = builder.finishLines();
  const lines = raw.map((line) => Buffer.from(line));
  const leaves = [...before.leaves, ...lines];
  const journal = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
  builder.edits.ledger?.(ledger);
  const closing = canonical(ledger);
  const trustRoot = trustRootOf(builder);
  const start = before.leaves.length;
  const state = STATE.map((entry) => `${canonical(entry)}\n`).join('');
  const artifacts: [string, string][] = [['policy', builder.policy]];
  if (before.ledger !== null) {
    artifacts.push(['state', state], ['ledger', before.ledger]);
  }
  const segments: string[] = [];
  for (let from = 0; from < lines.length; from += 64) {
    segments.push(treeRoot(lines.slice(from, from + 64)).toString('hex'));
  }
  const manifest: Loose = {
    format: 'clyra/bundle/v0',
    profiles: ['def/v0'],
    tenant: TENANT,
    stream_id: STREAM,
    origin: ORIGIN,
    range: { start, end: leaves.length },
    root: treeRoot(leaves).toString('hex'),
    frontier: frontierOf(before.leaves).map((hash) => hash.toString('hex')),
    opening_state: before.ledger === null ? null : stateDigest(),
    opening_ledger: before.ledger === null ? null : hexOf(before.ledger),
    closing_ledger: hexOf(closing),
    journal: { sha256: hexOf(journal), size: journal.length, lines: lines.length, segments },
    artifacts: artifacts
      .map(([kind, text]) => ({ kind, sha256: hexOf(text), size: Buffer.byteLength(text) }))
      .sort((left, right) => (left.sha256 < right.sha256 ? -1 : 1)),
    policies: [builder.policyDigest],
    engine: ENGINE,
    trust_root: hexOf(trustRoot),
    gaps: [],
    separation: 'none',
    previous_manifest: before.manifestDigest,
    producer: { name: 'test', version: '0' },
    ...stated,
  };
  builder.edits.manifest?.(manifest);
  const bytes = Buffer.from(canonical(manifest));
  const files = new Map<string, Buffer>([
    ['manifest.json', bytes],
    ['journal.jsonl', journal],
    ['checkpoint', makeCheckpoint(builder.keys.log, manifest)],
    ['manifest.dsse.json', makeEnvelope(builder, manifest, bytes)],
    ['VERIFY.md', Buffer.from('help\n')],
    ...artifacts.map(([, text]): [string, Buffer] => [`artifacts/${hexOf(text)}`, Buffer.from(text)]),
  ]);
  return { files, trustRoot, manifest, next: { leaves, ledger: closing, manifestDigest: hexOf(bytes) } };
}

export function makeCheckpoint(key: TestKey, manifest: Loose): Buffer {
  const root = Buffer.from(manifest.root, 'hex').toString('base64');
  const text = Buffer.from(`${manifest.origin}\n${manifest.range.end}\n${root}\n`);
  const hint = digestOf(Buffer.concat([Buffer.from(`${manifest.origin}\n`), Buffer.of(1), key.publicKey])).subarray(
    0,
    4,
  );
  const signature = Buffer.concat([hint, signBytes(key, text)]).toString('base64');
  return Buffer.concat([text, Buffer.from(`\n\u2014 ${manifest.origin} ${signature}\n`)]);
}

function makeEnvelope(builder: LogBuilder, manifest: Loose, bytes: Buffer): Buffer {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'manifest.json', digest: { sha256: hexOf(bytes) } }],
    predicateType: 'https://clyra.dev/def/v0',
    predicate: { origin: manifest.origin, range: manifest.range, root: manifest.root },
  };
  builder.edits.statement?.(statement);
  const payload = Buffer.from(canonical(statement));
  const sig = signPae(builder.keys.bundler, INTOTO, payload);
  const envelope = { payload: payload.toString('base64'), payloadType: INTOTO, signatures: [{ keyid: '', sig }] };
  return Buffer.from(canonical(envelope));
}

/** Writes a bundle and its trust root into a fresh folder. The caller removes it. */
export function writeBundle(bundle: Pick<BuiltBundle, 'files' | 'trustRoot'>): {
  root: string;
  directory: string;
  trustRootFile: string;
} {
  const root = mkdtempSync(join(tmpdir(), 'clyra-verifier-'));
  const directory = join(root, 'bundle');
  for (const [name, bytes] of bundle.files) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  const trustRootFile = join(root, 'trust-root.json');
  writeFileSync(trustRootFile, bundle.trustRoot);
  return { root, directory, trustRootFile };
}
