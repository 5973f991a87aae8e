// SPDX-License-Identifier: Apache-2.0
import { frontierLength } from '../hash/compact-range.ts';
import { JsonError } from '../json/json-error.ts';
import type { JsonObject } from '../json/json-value.ts';
import { parseJson } from '../json/parse.ts';
import { closed, digest, id, list, nullable, oneOf, text } from '../json/shape.ts';
import { type ExportManifest, readExportManifest } from './export-manifest.ts';
import {
  count,
  readArtifacts,
  readCut,
  readFrontier,
  readJournalFacts,
  readNullableDigest,
  readOrigin,
  readProducer,
  readRange,
  readTenant,
  requireRules,
  sharedRules,
} from './manifest-parts.ts';
import { readCost, readGovernance, readPerformance, readSecurity } from './metrics-shape.ts';
import { UnsupportedFormat } from './unsupported-format.ts';

export const MANIFEST_BYTES_MAX = 1_048_576;
const FORMAT = 'clyra/bundle/v0';
const EXPORT_FORMAT = 'clyra/export/v0';
const PROFILES: readonly string[] = ['def/v0', 'pef/v0'];
const LISTED_MAX = 1_024;

const readReconciliation = closed({
  sources: list(closed({ source_id: text, covers_until: count, lsn: text })),
  horizon: nullable(count),
  state: oneOf('final', 'provisional'),
  observations: count,
  guarded: count,
  matched: count,
  exceeded: count,
  reused: count,
  unattributed: count,
  claimed_unproved: count,
  unjudged: count,
  grants_forgotten: count,
  unobserved: count,
  pending: count,
  grants_unused: count,
});
const readCoverage = closed({
  source_id: text,
  observation_id: nullable(id),
  scope: nullable(text),
  lsn: nullable(text),
  guarded: count,
  uncovered: list(text, 256),
  blind_spots: list(closed({ code: text, relation: nullable(text) }), 64),
  gaps: count,
});
const readOutage = closed({
  source_id: text,
  component: text,
  failed_at: count,
  detected_at: count,
  restored_at: count,
  cause: text,
  changes_refused: count,
});

const readMembers = closed({
  format: oneOf(FORMAT),
  profiles: list(text, 16),
  tenant: readTenant,
  stream_id: id,
  origin: readOrigin,
  range: readRange,
  root: digest,
  frontier: readFrontier,
  cut: readCut,
  opening_state: readNullableDigest,
  opening_ledger: readNullableDigest,
  closing_ledger: digest,
  journal: readJournalFacts,
  artifacts: readArtifacts(oneOf('policy', 'state', 'ledger', 'document')),
  documents: closed({ named: count, held: count }),
  policies: list(digest, 4_096),
  engine: count,
  trust_root: digest,
  runs: closed({ closed: list(closed({ run_id: text, count })), open: list(text, 65_536) }),
  decisions: closed({ allow: count, block: count, hold: count, recorded: count }),
  reconciliation: readReconciliation,
  coverage: list(readCoverage, LISTED_MAX),
  gaps: list(closed({ source_id: text, from_lsn: text, to_lsn: text, reason: text }), LISTED_MAX),
  outages: list(readOutage, LISTED_MAX),
  governance: readGovernance,
  performance: readPerformance,
  cost: readCost,
  security: readSecurity,
  separation: oneOf('none', 'processes', 'operators'),
  bundle_log: closed({ number: count, frontier: readFrontier }),
  previous_manifest: readNullableDigest,
  producer: readProducer,
});

/** A manifest of a bundle, with the value it was read from. */
export type BundleManifest = ReturnType<typeof readMembers> & {
  readonly value: JsonObject;
  readonly export?: undefined;
};
export type Manifest = BundleManifest | ExportManifest;

/** Whether a text says that it is the manifest of an export, before anything else of it is judged (verification.md §3 B). */
export function isOfExport(bytes: Uint8Array): boolean {
  try {
    const { format } = parseJson(bytes, { grammar: 'record', canonical: true, bytesMax: MANIFEST_BYTES_MAX }).value;
    return typeof format === 'string' && format.startsWith('clyra/export/');
  } catch (error) {
    if (error instanceof JsonError) {
      return false;
    }
    throw error;
  }
}

/** Parses manifest.json. Throws JsonError, ShapeError or UnsupportedFormat. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const { value } = parseJson(bytes, { grammar: 'record', canonical: true, bytesMax: MANIFEST_BYTES_MAX });
  const { format } = value;
  if (typeof format === 'string' && /^clyra\/(?:bundle|export)\/v[0-9]+$/.test(format) && !format.endsWith('/v0')) {
    throw new UnsupportedFormat(`format ${format}`);
  }
  return format === EXPORT_FORMAT ? readExportManifest(value) : readBundleManifest(value);
}

function readBundleManifest(value: JsonObject): BundleManifest {
  const manifest = readMembers(value, '');
  const isFirst = manifest.range.start === 0;
  const { number, frontier } = manifest.bundle_log;
  requireRules([
    ...sharedRules(manifest),
    ['opening_ledger', (manifest.opening_ledger === null) === isFirst, 'must be null at start 0 and only there'],
    ['opening_state', (manifest.opening_state === null) === isFirst, 'must be null at start 0 and only there'],
    ['previous_manifest', (manifest.previous_manifest === null) === isFirst, 'must be null at start 0 and only there'],
    ['bundle_log.frontier', frontier.length === frontierLength(number), 'must be the compact range of [0,number)'],
  ]);
  const unknown = manifest.profiles.find((profile) => !PROFILES.includes(profile));
  if (unknown !== undefined) {
    throw new UnsupportedFormat(`profile ${unknown}`);
  }
  return { ...manifest, value };
}
