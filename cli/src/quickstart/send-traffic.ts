// SPDX-License-Identifier: Apache-2.0
import type { Change, Sent } from './gateway-sender.ts';
import type { Batch, Verdict } from './traffic.ts';

export type BatchResult = {
  readonly name: string;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Distinct reason codes, in the order they came. */
  readonly codes: readonly string[];
  readonly eventIds: readonly string[];
};

export type SendOptions = {
  readonly send: (change: Change) => Promise<Sent>;
  readonly onProgress: (batch: string, doneCount: number, totalCount: number) => void;
};

/** Sends each batch to its end before the next one starts. */
export async function sendTraffic(batches: readonly Batch[], options: SendOptions): Promise<readonly BatchResult[]> {
  const results: BatchResult[] = [];
  for (const batch of batches) results.push(await sendBatch(batch, options));
  return results;
}

async function sendBatch(batch: Batch, { send, onProgress }: SendOptions): Promise<BatchResult> {
  const counts = { allowed: 0, blocked: 0, held: 0 };
  const codes = new Set<string>();
  const eventIds: string[] = [];
  let next = 0;
  let doneCount = 0;
  const lane = async (): Promise<void> => {
    for (let change = batch.changes[next++]; change !== undefined; change = batch.changes[next++]) {
      const sent = await send(change);
      counts[verdictOf(sent)] += 1;
      if (typeof sent.problem['code'] === 'string') codes.add(sent.problem['code']);
      if (sent.eventId !== undefined) eventIds.push(sent.eventId);
      doneCount += 1;
      onProgress(batch.name, doneCount, batch.changes.length);
    }
  };
  await Promise.all(Array.from({ length: batch.concurrency }, lane));
  return { name: batch.name, counts, codes: [...codes], eventIds };
}

function verdictOf({ status }: Sent): Verdict {
  if (status < 300) return 'allowed';
  return status === 428 ? 'held' : 'blocked';
}
