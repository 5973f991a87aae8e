// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { RecordLog } from '@clyra/core/ports/record-log';
import type { SourceIdentity } from '../observation/observation-draft.ts';

/** Whose observations are read back, and from where. */
export type ReadBackRequest = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly topic: string;
  readonly partition: number;
  readonly identity: SourceIdentity;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
};

/** The last offsets of a partition; `isWhole`: there are none before them. */
export type TailWindow = { readonly from: number; readonly end: number; readonly isWhole: boolean };

/** Ever wider windows that all end where the partition does now; the last one is the whole partition. */
export async function* tailWindows(
  { log, topic, partition, deadlineMs }: ReadBackRequest,
  { count: first, growth }: { readonly count: number; readonly growth: number },
): AsyncGenerator<TailWindow> {
  const end = (await log.endOffsets(topic, deadlineMs))[partition] ?? 0;
  const start = (await log.startOffsets(topic, deadlineMs))[partition] ?? 0;
  for (let count = first; ; count *= growth) {
    const from = Math.max(start, end - count);
    yield { from, end, isWhole: from <= start };
    if (from <= start) return;
  }
}
