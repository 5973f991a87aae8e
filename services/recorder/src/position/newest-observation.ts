// SPDX-License-Identifier: Apache-2.0
import { compareLsn, type LsnText } from '@clyra/adapter-postgres/lsn';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { LogRecord } from '@clyra/core/ports/record-log';
import { ownObservation } from '../log/own-observation.ts';
import { type ReadBackRequest, type TailWindow, tailWindows } from '../log/read-back.ts';
import { scanPartition } from '../log/scan-partition.ts';
import type { Incarnation } from '../observation/observation-draft.ts';

/** How far the log says that a source was read. */
export type LoggedPosition = Incarnation & {
  readonly lsn: LsnText;
  /** Of the newest record that says so. */
  readonly offset: number;
  /** A gap says that the log of this incarnation was set back. */
  readonly isSetBack?: boolean;
};

const WINDOWS = { count: 2_048, growth: 16 };

/**
 * Reads back what clyra.observations holds of a source: this and the slot are all the state a recorder has. A running
 * source writes at least a watermark each second, so its newest records stand near the end; the window is widened
 * until one is found, at last to the whole partition. undefined: the source was never recorded.
 *
 * Records are written in log order and a send is stored whole or not at all, so the highest position of the newest
 * incarnation is enough to know which transactions are published: exactly those that end at or before it.
 */
export async function newestObservation(request: ReadBackRequest): Promise<LoggedPosition | undefined> {
  for await (const window of tailWindows(request, WINDOWS)) {
    const newest = await newestIn(request, window);
    if (newest !== undefined) return newest;
  }
  return undefined;
}

async function newestIn(request: ReadBackRequest, { from, end }: TailWindow): Promise<LoggedPosition | undefined> {
  let newest: LoggedPosition | undefined;
  await scanPartition(request.log, request.clock, {
    name: `recorder-${request.identity.sourceId}-position`,
    topic: request.topic,
    partition: request.partition,
    fromOffset: from,
    toOffset: end,
    visit: async (record) => {
      newest = afterRecord(newest, record, ownObservation(request, record));
      return false;
    },
    joinDeadlineMs: request.deadlineMs,
    signal: request.signal,
  });
  return newest;
}

function afterRecord(
  before: LoggedPosition | undefined,
  { offset }: LogRecord,
  body: JsonObject | undefined,
): LoggedPosition | undefined {
  if (body === undefined) return before;
  const lsn = body[LSN_MEMBER[body['kind'] as keyof typeof LSN_MEMBER]];
  const isGap = body['kind'] === 'gap';
  // The stream went on where it was: such a gap says what it may not have shown.
  if (before !== undefined && isGap && HIDDEN.has(String(body['reason']))) return { ...before, offset };
  // A gap names no cluster. Where the cluster changed, its end is a position of the new one: the old position stands,
  // and should the recorder end before its next watermark, the same gap is found and signed once more.
  if (isGap && (before === undefined || body['reason'] === 'system_changed' || body['reason'] === 'timeline_changed')) {
    return before === undefined ? undefined : { ...before, offset };
  }
  if (before !== undefined && isGap && body['reason'] === 'log_set_back') return { ...before, offset, isSetBack: true };
  const systemId = isGap ? before?.systemId : body['system_id'];
  const timeline = isGap ? before?.timeline : body['timeline'];
  if (typeof lsn !== 'string' || typeof systemId !== 'string' || typeof timeline !== 'number') return before;
  // A send that was given up may arrive after a later one: within an incarnation the position never goes back.
  if (before?.systemId === systemId && before.timeline === timeline && compareLsn(lsn, before.lsn) < 0) {
    return { ...before, offset };
  }
  const isSetBack = before?.isSetBack === true && before.systemId === systemId && before.timeline === timeline;
  return { systemId, timeline, lsn, offset, ...(isSetBack ? { isSetBack } : {}) };
}

const HIDDEN: ReadonlySet<string> = new Set(['publication_changed', 'publication_unverified']);

const LSN_MEMBER = { transaction: 'commit_end_lsn', watermark: 'lsn', gap: 'to_lsn' } as const;
