// SPDX-License-Identifier: Apache-2.0
import { createSecretKey } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClyraError } from '@clyra/core/kernel/error';
import type { CommittedTransaction } from '../committed-transaction.ts';
import type { PostgresConnection } from '../connection-settings.ts';
import type { LsnText } from '../lsn.ts';
import { openReplication, type ReplicationOptions, type ReplicationStream } from '../replication-stream.ts';

export const DIGEST_KEY_BYTES = Buffer.alloc(32, 0x42);
const WAIT_DEADLINE_MS = 20_000;

export type RecordingStream = {
  readonly stream: ReplicationStream;
  readonly transactions: CommittedTransaction[];
  readonly keepalives: { readonly lsn: LsnText; readonly serverTimeMs: number }[];
  readonly losses: ClyraError[];
};

/** A stream that keeps everything it is told. */
export async function recordStream(
  source: { connection: PostgresConnection; slot: string; publication: string },
  overrides: Partial<ReplicationOptions> = {},
): Promise<RecordingStream> {
  const transactions: CommittedTransaction[] = [];
  const keepalives: RecordingStream['keepalives'] = [];
  const losses: ClyraError[] = [];
  const stream = await openReplication({
    ...source,
    digestKey: createSecretKey(DIGEST_KEY_BYTES),
    onTransaction: (transaction) => void transactions.push(transaction),
    onKeepalive: (lsn, serverTimeMs) => void keepalives.push({ lsn, serverTimeMs }),
    onLost: (error) => void losses.push(error),
    ...overrides,
    tuning: { statusIntervalMs: 500, ...overrides.tuning },
  });
  return { stream, transactions, keepalives, losses };
}

/** Resolves when `isMet` holds; rejects after the deadline with what was awaited. */
export async function until(
  what: string,
  isMet: () => boolean | Promise<boolean>,
  waitMs = WAIT_DEADLINE_MS,
): Promise<void> {
  const deadlineMs = performance.now() + waitMs;
  while (!(await isMet())) {
    if (performance.now() > deadlineMs) {
      throw new Error(`still waiting for ${what}`);
    }
    await delay(20);
  }
}
