// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { DIGEST, type Digest, digestOf } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { encodeRecord } from '../canonical/record.ts';
import { runGenesis } from '../change/links.ts';
import { readObject, readText, shapeError } from '../change/shape.ts';
import { leafHash } from '../merkle/hash.ts';
import type { Signer } from '../ports/signer.ts';
import type { Ledger } from './ledger.ts';
import type { Artifact } from './manifest.ts';
import { type JournalFacts, RangeDigest } from './range-digest.ts';
import { encodeStatement, signEnvelope } from './statement.ts';

export const EXPORT_FORMAT = 'clyra/export/v0';
export const EXPORT_PREDICATE = 'https://clyra.dev/export/v0';

export type ExportScope =
  | { readonly kind: 'run'; readonly run_id: string; readonly next_seq: number; readonly head: Digest }
  | { readonly kind: 'selection' };

/** The scope of a run's export: where the run stood before the range, so that its chain can be followed from there. */
export function runScopeOf(runId: string, tenant: string, opening: Ledger | undefined): ExportScope {
  const open = opening?.runs.find((run) => run.run_id === runId);
  const { next_seq, head } = open ?? { next_seq: 0, head: runGenesis(tenant, runId) };
  return { kind: 'run', run_id: runId, next_seq, head };
}

/** The line that stands for a leaf that an export does not show. */
export function replacedLine(leaf: Digest): Uint8Array {
  return encodeRecord({ $leaf: leaf });
}

/** The leaf that a replaced line stands for; undefined for a line that shows itself. */
export function replacedLeaf(line: JsonObject): Digest | undefined {
  const leaf = line['$leaf'];
  return typeof leaf === 'string' && DIGEST.test(leaf) && Object.keys(line).length === 1 ? leaf : undefined;
}

/** The lines of an export while those of its bundle go by. An export can be cut again: what it hides stays hidden. */
export class ExportJournal {
  readonly #digest = new RangeDigest();

  /** The line as the export has it. */
  append(line: Uint8Array, kept: boolean, leaf: Digest = leafHash(line)): Uint8Array {
    const shown = kept ? line : replacedLine(leaf);
    this.#digest.appendLine(shown, leaf);
    return shown;
  }

  facts(): JournalFacts {
    return this.#digest.facts();
  }
}

export type ExportParts = {
  /** manifest.json of the bundle. */
  readonly of: { readonly manifest: JsonObject; readonly digest: Digest };
  readonly scope: ExportScope;
  readonly journal: JournalFacts;
  /** Ascending by digest. */
  readonly artifacts: readonly Artifact[];
  readonly producer: { readonly name: string; readonly version: string };
};

const CARRIED = ['tenant', 'stream_id', 'origin', 'range', 'root', 'frontier', 'cut', 'trust_root', 'separation'];

/** manifest.json of an export: what its reader needs, and nothing that counts what the export hides. */
export function exportManifest({ of, scope, journal, artifacts, producer }: ExportParts): Uint8Array {
  const carried = CARRIED.map((name) => {
    const value = of.manifest[name];
    if (value === undefined) throw shapeError(`the manifest has no ${name}`);
    return [name, value] as const;
  });
  const manifest = {
    ...Object.fromEntries(carried),
    format: EXPORT_FORMAT,
    journal,
    artifacts: artifacts.map(({ kind, sha256, size }) => ({ kind, sha256, size })),
    producer,
    export: { of: of.digest, scope },
  };
  return Buffer.from(canonicalJson(manifest as unknown as JsonObject), 'utf8');
}

/** manifest.dsse.json of an export. */
export function signExport(manifestBytes: Uint8Array, manifest: JsonObject, signer: Signer): Promise<Uint8Array> {
  const statement = encodeStatement({
    subjectName: 'manifest.json',
    subjectDigest: digestOf(manifestBytes),
    predicateType: EXPORT_PREDICATE,
    predicate: {
      of: readText(readObject(manifest, 'export'), 'of', DIGEST),
      origin: readText(manifest, 'origin', /^\S{1,512}$/),
      range: readObject(manifest, 'range'),
      root: readText(manifest, 'root', DIGEST),
    },
  });
  return signEnvelope(statement, signer);
}
