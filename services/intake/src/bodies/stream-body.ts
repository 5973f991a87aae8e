// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';

export type StreamLimits = {
  /** From the first byte to the last. */
  readonly deadlineMs: number;
  /** Between two pieces. */
  readonly silenceMs: number;
};

type Step = IteratorResult<Uint8Array> | 'late';

/**
 * The body of a request as it comes: no more is read than is asked for, so that a slow disk slows its sender. Rejects
 * with CLY_BODY_TIMEOUT or CLY_BODY_ABORTED when the client does not send it to its end.
 */
export async function* streamBody(
  message: IncomingMessage,
  limits: StreamLimits,
  clock: Clock,
): AsyncGenerator<Uint8Array> {
  const endMs = clock.nowMs() + limits.deadlineMs;
  const chunks = message.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>;
  try {
    for (;;) {
      const waitMs = Math.max(0, Math.min(limits.silenceMs, endMs - clock.nowMs()));
      const step = await nextWithin(chunks, waitMs, clock);
      if (step === 'late') throw bodyError('CLY_BODY_TIMEOUT', 'the body came too slowly');
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    message.pause();
    // Not waited for: a read that is still under way would keep it. What is left of the body is whoever answers' to drain.
    void chunks.return?.().catch(() => {});
  }
}

async function nextWithin(chunks: AsyncIterator<Uint8Array>, waitMs: number, clock: Clock): Promise<Step> {
  let cancelTimer = (): void => {};
  const late = new Promise<Step>((resolve) => {
    cancelTimer = clock.after(waitMs, () => resolve('late'));
  });
  try {
    return await Promise.race([chunks.next(), late]);
  } catch (cause) {
    throw bodyError('CLY_BODY_ABORTED', 'the client left before its end', cause);
  } finally {
    cancelTimer();
  }
}

function bodyError(code: 'CLY_BODY_ABORTED' | 'CLY_BODY_TIMEOUT', message: string, cause?: unknown): ClyraError {
  return new ClyraError(code, message, { retry: 'backoff', cause });
}
