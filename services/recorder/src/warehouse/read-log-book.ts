// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { LogRecord } from '@clyra/core/ports/record-log';
import { ownObservation } from '../log/own-observation.ts';
import { type ReadBackRequest, type TailWindow, tailWindows } from '../log/read-back.ts';
import { scanPartition } from '../log/scan-partition.ts';
import { LogBook } from './log-book.ts';

type Seen = { readonly body: JsonObject; readonly record: LogRecord };

const WINDOWS = { count: 4_096, growth: 8 };
const SCAN_DEADLINE_MS = 600_000;

/**
 * The book as far as it matters: back to a watermark so old that nothing written before it is in reach of a second
 * look, else the whole partition. What was written before a watermark that covers until C had ended by C + lag, since
 * the watermark was written when the warehouse's clock stood there.
 */
export async function readLogBook(
  request: ReadBackRequest,
  reach: { readonly overlapMs: number; readonly lagMs: number },
): Promise<LogBook> {
  for await (const window of tailWindows(request, WINDOWS)) {
    const seen = await observationsIn(request, window);
    const newest = seen.findLast(({ body }) => body['kind'] === 'watermark')?.body['covers_until'];
    const enough = typeof newest === 'number' && reachesBack(seen, newest - reach.overlapMs - reach.lagMs);
    if (!enough && !window.isWhole) continue;
    const book = new LogBook();
    for (const { body, record } of seen) book.take(body, record.appendTimeMs);
    book.nextOffset = window.end;
    return enough && !window.isWhole ? withBeginning(book, seen) : book;
  }
  throw new Error('the last window is the whole partition');
}

/** Takes in what was written since, by whomever. */
export async function catchUp(request: ReadBackRequest, book: LogBook): Promise<readonly Seen[]> {
  const { log, topic, partition, deadlineMs } = request;
  const end = (await log.endOffsets(topic, deadlineMs))[partition] ?? 0;
  if (end <= book.nextOffset) return [];
  const seen = await observationsIn(request, { from: book.nextOffset, end });
  for (const { body, record } of seen) book.take(body, record.appendTimeMs);
  book.nextOffset = end;
  return seen;
}

/** The first coverage may be out of sight: then everything in reach is after the beginning. */
function withBeginning(book: LogBook, seen: readonly Seen[]): LogBook {
  const oldest = seen.find(({ body }) => body['kind'] === 'watermark')?.body['covers_until'];
  book.beganMs = Math.min(book.beganMs ?? Number.MAX_SAFE_INTEGER, Number(oldest));
  return book;
}

function reachesBack(seen: readonly Seen[], untilMs: number): boolean {
  return seen.some(({ body }) => body['kind'] === 'watermark' && Number(body['covers_until']) < untilMs);
}

async function observationsIn(
  request: ReadBackRequest,
  { from, end }: Pick<TailWindow, 'from' | 'end'>,
): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  await scanPartition(request.log, request.clock, {
    name: `recorder-${request.identity.sourceId}-book`,
    topic: request.topic,
    partition: request.partition,
    fromOffset: from,
    toOffset: end,
    visit: async (record) => {
      const body = ownObservation(request, record);
      if (body !== undefined) seen.push({ body, record });
      return false;
    },
    deadlineMs: SCAN_DEADLINE_MS,
    joinDeadlineMs: request.deadlineMs,
    signal: request.signal,
  });
  return seen;
}
