// SPDX-License-Identifier: Apache-2.0
import { type LogBuilder, STREAM, TENANT } from './log-builder.ts';
import { statedOf } from './plain-manifest.ts';
import { metricsOf } from './plain-metrics.ts';
import {
  canonical,
  digestOf,
  frontierOf,
  hexOf,
  type Loose,
  noteKeyId,
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
  readonly raw: readonly string[];
}

/** What stands before a range. */
export interface Before {
  readonly leaves: readonly Buffer[];
  readonly ledger: string | null;
  readonly policy: string | null;
  readonly manifests: readonly Buffer[];
}

export const EMPTY: Before = { leaves: [], ledger: null, policy: null, manifests: [] };
/** The same state stands at each cut: verifiers do not follow it. */
const STATE: readonly Loose[] = [
  { key: 'alpha', value: { n: 1 } },
  { key: 'beta', value: { text: 'x' } },
];

/** The first two bytes of the digest of a key name its bucket. */
function bucketOf(entry: Loose): string {
  return hexOf(entry.key).slice(0, 4);
}

function stateText(entries: readonly Loose[]): string {
  const place = (entry: Loose) => `${bucketOf(entry)} ${entry.key}`;
  const sorted = [...entries].sort((left, right) => (place(left) < place(right) ? -1 : 1));
  return sorted.map((entry) => `${canonical(entry)}\n`).join('');
}

export function stateDigest(): string {
  const groups = Array.from({ length: 256 }, (_, group) => {
    const own = STATE.filter((entry) => Number.parseInt(bucketOf(entry).slice(0, 2), 16) === group);
    const buckets = [...new Set(own.map(bucketOf))].sort();
    const parts = buckets.map((bucket) => {
      const lines = stateText(own.filter((entry) => bucketOf(entry) === bucket));
      return Buffer.concat([Buffer.from(bucket.slice(2), 'hex'), digestOf(lines)]);
    });
    return digestOf(Buffer.concat(parts));
  });
  return hexOf(Buffer.concat(groups));
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

/** Seals the lines of a builder. `documents`: artifacts that lines name. */
export function seal(
  builder: LogBuilder,
  before: Before,
  documents: readonly string[] = [],
): BuiltBundle & { next: Before } {
  const { lines: built, raw } = builder.finishLines();
  const lines = raw.map((line) => Buffer.from(line));
  const leaves = [...before.leaves, ...lines];
  const journal = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
  builder.edits.ledger?.(builder.ledger);
  const closing = builder.ledger.encode();
  const trustRoot = trustRootOf(builder);
  const artifacts = artifactsOf(builder, before, [closing, ...documents]);
  const start = before.leaves.length;
  const named = documents.length;
  const manifest: Loose = {
    format: 'clyra/bundle/v0',
    tenant: TENANT,
    stream_id: STREAM,
    origin: ORIGIN,
    range: { start, end: leaves.length },
    root: treeRoot(leaves).toString('hex'),
    frontier: hexes(frontierOf(before.leaves)),
    opening_state: before.ledger === null ? null : stateDigest(),
    opening_ledger: before.ledger === null ? null : hexOf(before.ledger),
    closing_ledger: hexOf(closing),
    journal: {
      sha256: hexOf(journal),
      size: journal.length,
      lines: lines.length,
      segment_lines: 64,
      segments: segmentsOf(lines),
    },
    artifacts: artifacts.map(({ kind, sha256, size }) => ({ kind, sha256, size })),
    documents: { named, held: named },
    separation: 'none',
    bundle_log: { number: before.manifests.length, frontier: hexes(frontierOf(before.manifests)) },
    previous_manifest: before.manifests.length === 0 ? null : JSON.parse(String(before.manifests.at(-1))).manifest,
    producer: { name: 'conformance', version: '0' },
    ...statedOf(built, builder.ledger, before.policy),
    ...metricsOf(built),
  };
  builder.edits.manifest?.(manifest);
  const bytes = Buffer.from(canonical(manifest));
  const bundleLeaf = bundleLeafOf(manifest, bytes);
  const manifests = [...before.manifests, bundleLeaf];
  const files = new Map<string, Buffer>([
    ['manifest.json', bytes],
    ['manifest.dsse.json', makeEnvelope(builder, manifest, bytes)],
    ['checkpoint', makeNote(builder.keys.log, { origin: ORIGIN, size: leaves.length, root: treeRoot(leaves) })],
    [
      'bundle-log.checkpoint',
      makeNote(builder.keys.log, { origin: `${ORIGIN}/bundles`, size: manifests.length, root: treeRoot(manifests) }),
    ],
    ...artifacts.map(({ sha256, bytes: content }): [string, Buffer] => [`artifacts/${sha256}`, content]),
    ['journal.jsonl', journal],
  ]);
  const next = { leaves, ledger: closing, policy: builder.ledger.head.policy, manifests };
  return { files, trustRoot, manifest, raw, next };
}

function hexes(hashes: readonly Buffer[]): readonly string[] {
  return hashes.map((hash) => hash.toString('hex'));
}

function segmentsOf(lines: readonly Buffer[]): readonly string[] {
  const segments: string[] = [];
  for (let from = 0; from < lines.length; from += 64) {
    segments.push(treeRoot(lines.slice(from, from + 64)).toString('hex'));
  }
  return segments;
}

interface Artifact {
  readonly kind: string;
  readonly sha256: string;
  readonly size: number;
  readonly bytes: Buffer;
}

function artifactsOf(
  builder: LogBuilder,
  before: Before,
  [closing, ...documents]: readonly string[],
): readonly Artifact[] {
  const contents: (readonly [string, string])[] = [
    ['policy', builder.policy],
    ['ledger', closing as string],
    ...documents.map((document) => ['document', document] as const),
  ];
  if (before.ledger !== null) {
    contents.push(['state', stateText(STATE)], ['ledger', before.ledger]);
  }
  const artifacts = contents.map(([kind, text]) => {
    const bytes = Buffer.from(text);
    return { kind, sha256: hexOf(bytes), size: bytes.length, bytes };
  });
  const once = new Map(artifacts.map((artifact) => [artifact.sha256, artifact]));
  return [...once.values()].sort((left, right) => (left.sha256 < right.sha256 ? -1 : 1));
}

function bundleLeafOf(manifest: Loose, bytes: Buffer): Buffer {
  const { origin, range, root } = manifest;
  return Buffer.from(canonical({ manifest: hexOf(bytes), origin, range, root, v: 0 }));
}

export function makeNote(key: TestKey, head: { origin: string; size: number; root: Buffer }): Buffer {
  const text = Buffer.from(`${head.origin}\n${head.size}\n${head.root.toString('base64')}\n`);
  const signature = Buffer.concat([noteKeyId(head.origin, 1, key), signBytes(key, text)]).toString('base64');
  return Buffer.concat([text, Buffer.from(`\n\u2014 ${head.origin} ${signature}\n`)]);
}

/** A witness's line over the first three lines of a checkpoint. */
export function cosign(checkpoint: Buffer, key: TestKey, seconds: number): string {
  const name = key.record.name as string;
  const head = checkpoint.toString('utf8').split('\n').slice(0, 3).join('\n');
  const signature = signBytes(key, Buffer.from(`cosignature/v1\ntime ${seconds}\n${head}\n`));
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(seconds));
  return `\u2014 ${name} ${Buffer.concat([noteKeyId(name, 4, key), time, signature]).toString('base64')}\n`;
}

function makeEnvelope(builder: LogBuilder, manifest: Loose, bytes: Buffer): Buffer {
  const { origin, profiles, range, root } = manifest;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    predicate: { origin, profiles, range, root },
    predicateType: 'https://clyra.dev/bundle/v0',
    subject: [{ digest: { sha256: hexOf(bytes) }, name: 'manifest.json' }],
  };
  builder.edits.statement?.(statement);
  const envelope = wrap(builder.keys.bundler, statement);
  builder.edits.envelope?.(envelope);
  return Buffer.from(canonical(envelope));
}

/** A DSSE envelope over a statement. */
export function wrap(key: TestKey, statement: Loose): Loose {
  const payload = Buffer.from(canonical(statement));
  const sig = signPae(key, INTOTO, payload);
  return { payload: payload.toString('base64'), payloadType: INTOTO, signatures: [{ keyid: '', sig }] };
}
