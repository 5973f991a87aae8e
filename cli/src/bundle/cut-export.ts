// SPDX-License-Identifier: Apache-2.0
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { ExportJournal, type ExportScope, exportManifest, runScopeOf, signExport } from '@clyra/core/evidence/export';
import { type MatchedEntry, RunScope } from '@clyra/core/evidence/export-scope';
import { parseSourceLine, type SourceLine } from '@clyra/core/evidence/journal-line';
import { type Ledger, parseLedger } from '@clyra/core/evidence/ledger';
import { type Artifact, MANIFEST_BYTES_MAX } from '@clyra/core/evidence/manifest';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Signer } from '@clyra/core/ports/signer';
import { type BundleFolder, type BundleLine, notBundle } from './bundle-folder.ts';

export const EXPORTER = { name: '@clyra/cli', version: '0.0.0' } as const;

/** What of a bundle an export shows. */
export type Selection = {
  readonly scope: ExportScope;
  keeps(line: BundleLine, entry: SourceLine | MatchedEntry): boolean;
};

/** Everything that one run needs to be followed. Rejects with CLY_CLI_BUNDLE for an export, which has no ledger. */
export async function runSelection(bundle: BundleFolder, runId: string): Promise<Selection> {
  if (bundle.isExport) throw notBundle(bundle.path, 'an export of a run is cut from a whole bundle');
  const digest = bundle.manifest['opening_ledger'];
  const opening: Ledger | undefined =
    typeof digest === 'string' ? parseLedger(await bundle.file(`artifacts/${digest}`)) : undefined;
  const run = new RunScope(runId);
  return { scope: runScopeOf(runId, bundle.head.tenant, opening), keeps: (_, entry) => run.keeps(entry) };
}

export type CutRequest = {
  readonly bundle: BundleFolder;
  readonly selection: Selection;
  readonly signer: Signer;
  /** A folder that does not exist yet. */
  readonly to: string;
};

export type CutResult = { readonly shown: number; readonly replaced: number; readonly manifestDigest: Digest };

/** Writes an export (docs/spec/bundle.md §8) into a new folder. */
export async function cutExport({ bundle, selection, signer, to }: CutRequest): Promise<CutResult> {
  await makeFolder(to);
  const journal = new ExportJournal();
  const counts = { shown: 0, replaced: 0, ofRun: 0 };
  const named = new Set<Digest>();
  async function* lines(): AsyncGenerator<Uint8Array> {
    for await (const line of bundle.lines()) {
      const isLast = line.leaf === bundle.head.range.end - 1;
      const kept = !line.isReplaced && (selection.keeps(line, entryOf(line)) || isLast);
      if (kept) for (const digest of digestsIn(line.record)) named.add(digest);
      if (selection.scope.kind === 'run' && kept && runOf(line.record) === selection.scope.run_id) counts.ofRun += 1;
      counts[kept ? 'shown' : 'replaced'] += 1;
      yield journal.append(line.bytes, kept, line.hash);
      yield LF;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(join(to, 'journal.jsonl')));
  if (selection.scope.kind === 'run' && counts.ofRun === 0) throw noSuchRun(selection.scope.run_id, bundle);
  const artifacts = await copyArtifacts(bundle, named, to);
  const { manifest, manifestDigest: digest } = bundle;
  const of = bundle.isExport ? { manifest, digest: exportedOf(manifest) } : { manifest, digest };
  const parts = { of, scope: selection.scope, journal: journal.facts(), artifacts, producer: EXPORTER };
  const bytes = exportManifest(parts);
  await writeFile(join(to, 'manifest.json'), bytes);
  const made = parseJson(bytes, { bytesMax: MANIFEST_BYTES_MAX, depthMax: 16, valuesMax: 1_000_000 }) as JsonObject;
  await copyAsIs(bundle, to);
  await writeFile(join(to, 'manifest.dsse.json'), await signExport(bytes, made, signer));
  return { shown: counts.shown, replaced: counts.replaced, manifestDigest: digestOf(bytes) };
}

const LF = Buffer.from('\n');

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: false });
    await mkdir(join(path, 'artifacts'));
  } catch (cause) {
    throw new ClyraError('CLY_CLI_OUTPUT', `${path} cannot be made: name a folder that does not exist yet`, {
      retry: 'never',
      context: { path },
      cause,
    });
  }
}

/** Policies and documents that a line in place names; ledgers and states would tell of others. */
async function copyArtifacts(bundle: BundleFolder, named: ReadonlySet<Digest>, to: string): Promise<Artifact[]> {
  const listed = bundle.manifest['artifacts'];
  const artifacts = Array.isArray(listed) ? (listed as unknown as readonly Artifact[]) : [];
  const carried = artifacts.filter(
    ({ kind, sha256 }) => (kind === 'policy' || kind === 'document') && named.has(sha256),
  );
  for (const { sha256 } of carried) {
    await writeFile(join(to, 'artifacts', sha256), await bundle.file(`artifacts/${sha256}`));
  }
  return carried;
}

async function copyAsIs(bundle: BundleFolder, to: string): Promise<void> {
  const carried = (await bundle.names()).filter((name) => /^(?:checkpoint$|cosignatures\/|times\/)/.test(name));
  for (const folder of ['cosignatures', 'times']) {
    if (carried.some((name) => name.startsWith(`${folder}/`))) await mkdir(join(to, folder));
  }
  for (const name of carried) await copyFile(join(bundle.path, name), join(to, name));
}

function entryOf({ bytes, record }: BundleLine): SourceLine | MatchedEntry {
  if (record['kind'] !== 'matched') return parseSourceLine(bytes);
  const event = record['event_id'];
  return { kind: 'matched', event_id: typeof event === 'string' ? event : null };
}

function runOf(record: JsonObject): JsonValue | undefined {
  const receipt = record['receipt'];
  const body = isJsonObject(receipt) ? receipt['body'] : undefined;
  return isJsonObject(body) ? body['run_id'] : undefined;
}

/** Every digest in a line: what it names by digest is among them. */
function digestsIn(value: JsonValue | undefined): readonly Digest[] {
  if (typeof value === 'string') return /^[0-9a-f]{64}$/.test(value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(digestsIn);
  return isJsonObject(value) ? Object.values(value).flatMap(digestsIn) : [];
}

function exportedOf(manifest: JsonObject): Digest {
  const cut = manifest['export'];
  const of = isJsonObject(cut) ? cut['of'] : undefined;
  return typeof of === 'string' ? of : '';
}

function noSuchRun(runId: string, { head }: BundleFolder): ClyraError {
  const { start, end } = head.range;
  return new ClyraError('CLY_CLI_ARGUMENT', `no line of [${start},${end}) is of run ${runId}`, {
    retry: 'never',
    context: { run_id: runId },
  });
}
