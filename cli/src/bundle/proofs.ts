// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestBytes } from '@clyra/core/canonical/digest';
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { parseCheckpoint } from '@clyra/core/evidence/checkpoint';
import { ClyraError } from '@clyra/core/kernel/error';
import { rootFromPath } from '@clyra/core/merkle/audit-path';
import { CompactRange } from '@clyra/core/merkle/compact-range';
import { consistencySpans, inclusionSpans, SpanRoots } from '@clyra/core/merkle/spans';
import { type BundleFolder, type BundleLine, notBundle } from './bundle-folder.ts';

/** The leaf of a receipt id, an event id or a leaf number. Rejects with CLY_CLI_ARGUMENT where the bundle has none. */
export async function findLine(bundle: BundleFolder, wanted: string): Promise<BundleLine> {
  const number = /^\d{1,15}$/.test(wanted) ? Number(wanted) : undefined;
  const text = Buffer.from(`"${wanted}"`, 'utf8');
  for await (const line of bundle.lines()) {
    if (line.leaf === number) return line;
    if (number === undefined && Buffer.from(line.bytes).includes(text) && names(line.record, wanted)) return line;
  }
  const { start, end } = bundle.head.range;
  throw new ClyraError(
    'CLY_CLI_ARGUMENT',
    `no line of [${start},${end}) is the receipt, event or leaf ${wanted}: look in the bundle that holds it`,
    { retry: 'never', context: { wanted } },
  );
}

function names(record: JsonObject, wanted: string): boolean {
  const bodies = ['receipt', 'observation'].map((part) => memberOf(memberOf(record, part), 'body'));
  return bodies.some((body) =>
    ['receipt_id', 'event_id', 'observation_id'].some((member) => memberOf(body, member) === wanted),
  );
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}

/** A C2SP tlog-proof of one line (docs/spec/statements.md §4). Rejects where the bundle does not lead to its checkpoint. */
export async function inclusionProof(bundle: BundleFolder, line: BundleLine): Promise<string> {
  const { range, frontier } = bundle.head;
  const path = await rootsOf(bundle, new SpanRoots(inclusionSpans(line.leaf, range.end), { ...range, frontier }));
  const checkpoint = await bundle.file('checkpoint');
  const { root } = parseCheckpoint(firstFiveLines(checkpoint));
  if (rootFromPath(line.hash, { index: line.leaf, size: range.end, path }) !== root) {
    throw notBundle(bundle.path, 'its lines do not lead to its checkpoint');
  }
  const hashes = path.map((hash) => `${base64(hash)}\n`).join('');
  const cosignatures = await cosignaturesOf(bundle);
  return `c2sp.org/tlog-proof@v1\nindex ${line.leaf}\n${hashes}\n${checkpoint.toString('utf8')}${cosignatures}`;
}

/** Lines that a write-once store keeps in files of their own; in a proof they stand where C2SP tools look for them. */
async function cosignaturesOf(bundle: BundleFolder): Promise<string> {
  const names = (await bundle.names()).filter((name) => name.startsWith('cosignatures/'));
  const lines = await Promise.all(names.map((name) => bundle.file(name)));
  return lines.map((line) => line.toString('utf8')).join('');
}

async function rootsOf(bundle: BundleFolder, roots: SpanRoots): Promise<readonly Digest[]> {
  for await (const { hash } of bundle.lines()) roots.append(hash);
  return roots.roots();
}

/** Cosignatures come after the log's own line. */
function firstFiveLines(checkpoint: Buffer): Buffer {
  return Buffer.from(`${checkpoint.toString('utf8').split('\n').slice(0, 5).join('\n')}\n`, 'utf8');
}

/** Bundles that follow one another, from the given leaf or before it on. Rejects with CLY_CLI_ARGUMENT. */
export function requireContinuous(bundles: readonly BundleFolder[], from: number): void {
  const [first, ...rest] = bundles.map(({ head }) => head);
  if (first === undefined || first.range.start > from) {
    throw wrongBundles(`the bundles must begin at leaf ${from} or before it`);
  }
  let before = first;
  for (const head of rest) {
    if (head.origin !== before.origin || head.range.start !== before.range.end) {
      throw wrongBundles(`a bundle from leaf ${before.range.end} of ${before.origin} on must come next`);
    }
    before = head;
  }
}

export type ConsistencyProof = {
  readonly from: { readonly size: number; readonly root: Digest };
  readonly to: { readonly size: number; readonly root: Digest };
  readonly proof: readonly Digest[];
};

/** That the log of `older` leaves is the beginning of the newest bundle's log (RFC 9162 §2.1.4). */
export async function consistencyProof(bundles: readonly BundleFolder[], older: number): Promise<ConsistencyProof> {
  requireContinuous(bundles, older);
  const [first] = bundles as [BundleFolder, ...BundleFolder[]];
  const last = bundles.at(-1) as BundleFolder;
  const { start } = first.head.range;
  const newer = last.head.range.end;
  if (older < 1 || older > newer) throw wrongBundles(`the older size must be between 1 and ${newer}`);
  const { frontier } = first.head;
  const spans = new SpanRoots(consistencySpans(older, newer), { start, frontier });
  const tree = new CompactRange(start, frontier);
  let olderRoot = tree.root();
  for (const bundle of bundles) {
    for await (const { hash, leaf } of bundle.lines()) {
      if (leaf === older) olderRoot = tree.root();
      tree.append(hash);
      spans.append(hash);
    }
    if (tree.root() !== bundle.head.root) throw notBundle(bundle.path, 'its lines do not lead to its root');
  }
  if (older === newer) olderRoot = tree.root();
  return {
    from: { size: older, root: olderRoot },
    to: { size: newer, root: tree.root() },
    proof: spans.roots(),
  };
}

export function base64(digest: Digest): string {
  return Buffer.from(digestBytes(digest)).toString('base64');
}

function wrongBundles(what: string): ClyraError {
  return new ClyraError('CLY_CLI_ARGUMENT', what, { retry: 'never' });
}
