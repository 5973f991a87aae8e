// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import type { JsonObject, JsonValue } from '../canonical/json-value.ts';
import { encodeRecord, RECORD_BYTES_MAX, RECORD_DEPTH_MAX } from '../canonical/record.ts';
import { ClyraError } from '../kernel/error.ts';
import type { Judged } from '../reconciliation/reconcile-cut.ts';

/** A body as it came from the log: canonical bytes that were parsed before, and its block as JSON (or null). */
export type LinePart = { readonly body: JsonObject; readonly bytes: Uint8Array; readonly block: JsonObject | null };

/**
 * The lines of docs/spec/journal.md §1. Bodies are copied as they stand: canonical bytes inside a canonical object are
 * canonical, and what was signed is never built again from decoded members.
 * Throws CLY_JOURNAL_LINE_LIMIT for a line beyond the record grammar: a change and its receipt may each be as large as
 * a line, so it is possible, and such a record must stop the log rather than be left out or cut short.
 */
export function decidedLine(parts: { appendTimeMs: number; change: LinePart; receipt: LinePart }): Uint8Array {
  const { appendTimeMs, change, receipt } = parts;
  return assemble(
    [
      `{"append_time":${appendTimeMs},"change":`,
      ...partBytes(change),
      ',"kind":"decided","receipt":',
      ...partBytes(receipt),
      ',"v":0}',
    ],
    [change, receipt],
  );
}

export function observedLine(parts: { appendTimeMs: number; observation: LinePart }): Uint8Array {
  const { appendTimeMs, observation } = parts;
  return assemble(
    [`{"append_time":${appendTimeMs},"kind":"observed","observation":`, ...partBytes(observation), ',"v":0}'],
    [observation],
  );
}

export function matchedLine({ observation, verdict }: Judged): Uint8Array {
  return encodeRecord({
    v: 0,
    kind: 'matched',
    observation_id: observation.observation_id,
    leaf: observation.leaf,
    status: verdict.status,
    event_id: verdict.event_id,
    receipt_id: verdict.receipt_id,
    token_hash: verdict.token_hash,
    reason: verdict.reason,
  });
}

function partBytes({ bytes, block }: LinePart): readonly (string | Uint8Array)[] {
  return ['{"body":', bytes, ',"sig":', canonicalJson(block), '}'];
}

/** The line's object and the part's object stand around each body. */
const DEPTH_AROUND = 2;

function assemble(pieces: readonly (string | Uint8Array)[], parts: readonly LinePart[]): Uint8Array {
  const line = Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece)));
  const tooDeep = parts.some(({ body }) => depthOf(body) + DEPTH_AROUND > RECORD_DEPTH_MAX);
  if (line.length > RECORD_BYTES_MAX || tooDeep) {
    throw new ClyraError(
      'CLY_JOURNAL_LINE_LIMIT',
      `a journal line would have ${line.length} bytes (at most ${RECORD_BYTES_MAX}) or nest too deep: the enforcer must refuse such a change as poison`,
      { retry: 'never', context: { line_bytes: line.length } },
    );
  }
  return line;
}

function depthOf(value: JsonValue | undefined): number {
  if (typeof value !== 'object' || value === null) return 0;
  let deepest = 0;
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    deepest = Math.max(deepest, depthOf(member as JsonValue | undefined));
  }
  return deepest + 1;
}
