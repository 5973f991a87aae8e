// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import type { BundleFolder, BundleLine } from '../bundle/bundle-folder.ts';

/** Lines that a page lists one by one; the rest are counted. */
const LISTED_MAX = 2_000;

export type ChangeEntry = {
  readonly leaf: number;
  readonly decidedAtMs: number | null;
  readonly kind: string;
  /** Null for what was only recorded. */
  readonly decision: string | null;
  readonly who: string;
  readonly where: string;
  readonly why: string;
};

export type FindingEntry = {
  readonly status: string;
  readonly reason: string;
  readonly leaf: number;
  readonly eventId: string | null;
};

/** What a page shows of the lines. */
export type JournalDigest = {
  readonly lines: number;
  readonly replaced: number;
  readonly changes: readonly ChangeEntry[];
  readonly findings: readonly FindingEntry[];
};

export async function readJournal(bundle: BundleFolder, listedMax: number = LISTED_MAX): Promise<JournalDigest> {
  const digest = { lines: 0, replaced: 0, changes: [] as ChangeEntry[], findings: [] as FindingEntry[] };
  for await (const line of bundle.lines()) {
    digest.lines += 1;
    if (line.isReplaced) digest.replaced += 1;
    const { record } = line;
    if (record['kind'] === 'decided' && digest.changes.length < listedMax) digest.changes.push(changeOf(line));
    if (record['kind'] === 'matched' && record['status'] !== 'matched' && digest.findings.length < listedMax) {
      digest.findings.push(findingOf(record));
    }
  }
  return digest;
}

function changeOf({ leaf, record }: BundleLine): ChangeEntry {
  const body = objectOf(objectOf(record['receipt'])['body']);
  const reasons = Array.isArray(body['reasons']) ? body['reasons'] : [];
  const decidedAt = body['decided_at'];
  return {
    leaf,
    decidedAtMs: typeof decidedAt === 'number' ? decidedAt : null,
    kind: textOf(body['change_kind']),
    decision: typeof body['decision'] === 'string' ? body['decision'] : null,
    who: textOf(body['actor']),
    where: textOf(body['route']),
    why: [...new Set(reasons.map((reason) => textOf(objectOf(reason)['code'])))].join(', '),
  };
}

function findingOf(record: JsonObject): FindingEntry {
  const event = record['event_id'];
  const leaf = record['leaf'];
  return {
    status: textOf(record['status']),
    reason: textOf(record['reason']),
    leaf: typeof leaf === 'number' ? leaf : -1,
    eventId: typeof event === 'string' ? event : null,
  };
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
