// SPDX-License-Identifier: Apache-2.0
import { frontierLength } from '../hash/compact-range.ts';
import { isObject } from '../json/json-value.ts';
import { parseJson } from '../json/parse.ts';
import {
  anything,
  closed,
  digest,
  id,
  integer,
  list,
  matching,
  nullable,
  oneOf,
  type Reader,
  ShapeError,
  text,
} from '../json/shape.ts';

export const MANIFEST_BYTES_MAX = 1_048_576;
export const FORMAT = 'clyra/bundle/v0';
export const PROFILE = 'def/v0';
const ARTIFACTS_MAX = 4_096;

const count = integer(0);
export const tenantName: Reader<string> = matching(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a tenant name');

const readReconciliation = closed({
  sources: list(closed({ source_id: text, covers_until: count, lsn: anything })),
  state: oneOf('final', 'provisional'),
  observations: count,
  guarded: count,
  matched: count,
  exceeded: count,
  reused: count,
  unattributed: count,
  claimed_unproved: count,
  pending: count,
  grants_unused: count,
});

const readMembers = closed({
  format: oneOf(FORMAT),
  profiles: list(text, 16),
  tenant: tenantName,
  stream_id: id,
  origin: text,
  range: closed({ start: count, end: integer(1) }),
  root: digest,
  frontier: list(digest, 53),
  cut: closed({ kind: text, offset: count, partition: count, state_digest: digest, receipt_id: id }),
  opening_state: nullable(digest),
  opening_ledger: nullable(digest),
  closing_ledger: digest,
  journal: closed({ sha256: digest, size: integer(1), lines: integer(1), segments: list(digest) }),
  artifacts: list(closed({ kind: oneOf('policy', 'state', 'ledger'), sha256: digest, size: count }), ARTIFACTS_MAX),
  policies: list(digest),
  engine: anything,
  trust_root: digest,
  runs: closed({ closed: list(closed({ run_id: text, count })), open: list(text) }),
  decisions: closed({ allow: count, block: count, hold: count, recorded: count }),
  reconciliation: readReconciliation,
  gaps: list(closed({ source_id: text, from_lsn: anything, to_lsn: anything, reason: anything })),
  separation: oneOf('none', 'processes'),
  previous_manifest: nullable(digest),
  producer: closed({ name: text, version: text }),
});

export type Manifest = ReturnType<typeof readMembers>;

/** The manifest names a format or profile of another version. */
export class UnsupportedFormat extends Error {}

/** Parses manifest.json. Throws JsonError, ShapeError or UnsupportedFormat. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const { value } = parseJson(bytes, { grammar: 'record', canonical: true, bytesMax: MANIFEST_BYTES_MAX });
  const format = isObject(value) ? value.format : undefined;
  if (typeof format === 'string' && format !== FORMAT && /^clyra\/bundle\/v[0-9]+$/.test(format)) {
    throw new UnsupportedFormat(`format ${format}`);
  }
  const manifest = readMembers(value, '');
  requireConsistent(manifest);
  const unknown = manifest.profiles.find((profile) => profile !== PROFILE);
  if (unknown !== undefined || manifest.profiles.length !== 1) {
    throw new UnsupportedFormat(`profiles ${manifest.profiles.join(', ')}`);
  }
  return manifest;
}

function requireConsistent(manifest: Manifest): void {
  const { start, end } = manifest.range;
  const isFirst = start === 0;
  const rules: readonly (readonly [string, boolean, string])[] = [
    ['range', end > start, 'must hold a line'],
    ['journal.lines', manifest.journal.lines === end - start, 'must be the length of the range'],
    [
      'journal.segments',
      manifest.journal.segments.length === Math.ceil(manifest.journal.lines / SEGMENT_LINES),
      'must have one root for each segment',
    ],
    ['frontier', manifest.frontier.length === frontierLength(start), 'must be the compact range of [0,start)'],
    ['opening_ledger', (manifest.opening_ledger === null) === isFirst, 'must be null at start 0 and only there'],
    ['opening_state', (manifest.opening_state === null) === isFirst, 'must be null at start 0 and only there'],
    ['previous_manifest', (manifest.previous_manifest === null) === isFirst, 'must be null at start 0 and only there'],
    ['origin', manifest.origin.endsWith(`/${manifest.tenant}`), 'must end with the tenant'],
    ['artifacts', isRising(manifest.artifacts.map((artifact) => artifact.sha256)), 'must rise by sha256'],
  ];
  for (const [member, holds, message] of rules) {
    if (!holds) {
      throw new ShapeError(member, message);
    }
  }
}

export const SEGMENT_LINES = 64;

function isRising(values: readonly string[]): boolean {
  return values.every((value, index) => index === 0 || (values[index - 1] as string) < value);
}
