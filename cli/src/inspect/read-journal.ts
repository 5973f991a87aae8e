// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { CORRELATION_NAMES } from '@clyra/core/change/correlation';
import type { BundleFolder, BundleLine } from '../bundle/bundle-folder.ts';

/** Lines that a page lists one by one; the rest are counted. */
const LISTED_MAX = 2_000;
/** Sessions of calls that are shown of one run. */
const CALLS_MAX = 16;

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

/** A run that says under which names partners know it, beside what its changes name of calls. */
export type RunEntry = {
  readonly leaf: number;
  readonly runId: string;
  readonly names: readonly string[];
  /** Sessions of calls that voice rules asked about. */
  readonly calls: Set<string>;
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
  readonly runs: readonly RunEntry[];
};

export async function readJournal(bundle: BundleFolder, listedMax: number = LISTED_MAX): Promise<JournalDigest> {
  const changes: ChangeEntry[] = [];
  const findings: FindingEntry[] = [];
  const runs = new Map<string, RunEntry>();
  const digest = { lines: 0, replaced: 0, changes, findings };
  for await (const line of bundle.lines()) {
    digest.lines += 1;
    if (line.isReplaced) digest.replaced += 1;
    const { record } = line;
    if (record['kind'] === 'decided' && changes.length < listedMax) changes.push(changeOf(line));
    if (record['kind'] === 'decided') followRun(line, runs, listedMax);
    if (record['kind'] === 'matched' && record['status'] !== 'matched' && findings.length < listedMax) {
      findings.push(findingOf(record));
    }
  }
  return { ...digest, runs: [...runs.values()] };
}

function followRun({ leaf, record }: BundleLine, runs: Map<string, RunEntry>, listedMax: number): void {
  const change = objectOf(objectOf(record['change'])['body']);
  const runId = textOf(change['run_id']);
  const { correlation } = change;
  const isOpened =
    change['kind'] === 'run.opened' && objectOf(objectOf(record['receipt'])['body'])['decision'] === 'allow';
  if (isOpened && isJsonObject(correlation) && runs.size < listedMax) {
    runs.set(runId, {
      leaf,
      runId,
      names: CORRELATION_NAMES.map((name) => nameOf(correlation[name])),
      calls: new Set(),
    });
  }
  const calls = runs.get(runId)?.calls;
  const { voice } = objectOf(change['facts']);
  if (calls === undefined || !Array.isArray(voice)) return;
  const sessions = voice.map((fact) => textOf(objectOf(fact)['session'])).filter((session) => session !== '');
  for (const session of sessions) if (calls.size < CALLS_MAX) calls.add(session);
}

function nameOf(value: JsonValue | undefined): string {
  if (value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
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
