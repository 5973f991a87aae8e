// SPDX-License-Identifier: Apache-2.0
import { frontierLength } from '../hash/compact-range.ts';
import {
  ascending,
  closed,
  digest,
  id,
  integer,
  list,
  matching,
  nullable,
  type Reader,
  ShapeError,
  text,
} from '../json/shape.ts';

export const count = integer(0);
export const ORIGIN = /^[\x21-\x2a\x2c-\x7e]{1,512}$/;
const ARTIFACTS_MAX = 4_096;
const SEGMENTS_MAX = 8_192;
const SEGMENT_LINES_LEAST = 64;
const SEGMENTS_FULL_MAX = 8_192;

export const readTenant: Reader<string> = matching(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a tenant name');
export const readOrigin: Reader<string> = matching(ORIGIN, 'must be 1 to 512 visible characters without +');
export const readRange = closed({ start: count, end: integer(1) });
export const readFrontier = list(digest, 53);
export const readCut = closed({ kind: text, offset: count, partition: count, state_digest: digest, receipt_id: id });
export const readProducer = closed({ name: text, version: text });
export const readJournalFacts = closed({
  sha256: digest,
  size: count,
  lines: count,
  segment_lines: integer(1),
  segments: list(digest, SEGMENTS_MAX),
});

export interface ListedArtifact<K extends string = string> {
  readonly kind: K;
  readonly sha256: string;
  readonly size: number;
}

export function readArtifacts<K extends string>(kind: Reader<K>): Reader<readonly ListedArtifact<K>[]> {
  return ascending(list(closed({ kind, sha256: digest, size: count }), ARTIFACTS_MAX), ({ sha256 }) => sha256);
}

/** The lines of a segment of a journal: the least 64·2^k that leaves fewer than 8,192 full segments. */
export function segmentLinesOf(lines: number): number {
  let size = SEGMENT_LINES_LEAST;
  while (Math.floor(lines / size) >= SEGMENTS_FULL_MAX) {
    size *= 2;
  }
  return size;
}

/** Rules that bundle and export share: [member, whether it holds, what it should be]. */
export type Rule = readonly [member: string, holds: boolean, message: string];

export function sharedRules(manifest: {
  readonly tenant: string;
  readonly origin: string;
  readonly range: ReturnType<typeof readRange>;
  readonly frontier: readonly string[];
  readonly journal: ReturnType<typeof readJournalFacts>;
}): readonly Rule[] {
  const { range, journal } = manifest;
  const segmentLines = segmentLinesOf(journal.lines);
  return [
    ['origin', manifest.origin.endsWith(`/${manifest.tenant}`), 'must end with the tenant'],
    ['range', range.end > range.start, 'must hold a line'],
    ['frontier', manifest.frontier.length === frontierLength(range.start), 'must be the compact range of [0,start)'],
    ['journal.lines', journal.lines === range.end - range.start, 'must be the length of the range'],
    ['journal.segment_lines', journal.segment_lines === segmentLines, `must be ${segmentLines}`],
    ['journal.segments', journal.segments.length === Math.ceil(journal.lines / segmentLines), 'must be one a segment'],
  ];
}

export function requireRules(rules: readonly Rule[]): void {
  for (const [member, holds, message] of rules) {
    if (!holds) {
      throw new ShapeError(member, message);
    }
  }
}

export const readNullableDigest = nullable(digest);
