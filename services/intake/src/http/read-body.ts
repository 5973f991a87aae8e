// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { digestOf } from '@clyra/core/canonical/digest';
import { emptyBody, type ReceivedBody } from '@clyra/core/inspection/check-body';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';

export type BodyLimits = {
  readonly bytesMax: number;
  /** From the first byte to the last, in milliseconds. */
  readonly deadlineMs: number;
};

/**
 * Reads a request body. Beyond `bytesMax` nothing is kept, and at most as much again is read (and hashed) before
 * reading stops; a body that declares more than that is not read at all.
 */
export function readBody(message: IncomingMessage, limits: BodyLimits, clock: Clock): Promise<ReceivedBody> {
  const declared = message.headers['content-length'];
  if (declared === '0' || (declared === undefined && message.headers['transfer-encoding'] === undefined)) {
    return Promise.resolve(emptyBody());
  }
  if (declared !== undefined && Number(declared) > limits.bytesMax * 2) {
    return Promise.resolve({ ...emptyBody(), tooLarge: true });
  }
  return new Promise((resolve, reject) => {
    const reader = new BodyReader(limits.bytesMax);
    const finish = (settle: () => void): void => {
      cancelTimer();
      message.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      settle();
    };
    const onData = (chunk: Uint8Array): void => {
      if (reader.add(chunk)) return;
      message.pause();
      finish(() => resolve(reader.result()));
    };
    const onEnd = (): void => finish(() => resolve(reader.result()));
    const onClose = (): void => finish(() => reject(bodyError('CLY_BODY_ABORTED', 'the client left before its end')));
    const onLate = (): void => finish(() => reject(bodyError('CLY_BODY_TIMEOUT', 'the body came too slowly')));
    const cancelTimer = clock.after(limits.deadlineMs, onLate);
    message.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

class BodyReader {
  readonly #bytesMax: number;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #overflow: ReturnType<typeof createHash> | undefined;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** False when nothing more is to be read. */
  add(chunk: Uint8Array): boolean {
    this.#size += chunk.length;
    if (this.#overflow === undefined && this.#size > this.#bytesMax) {
      this.#overflow = createHash('sha256');
      for (const kept of this.#chunks.splice(0)) this.#overflow.update(kept);
    }
    if (this.#overflow === undefined) this.#chunks.push(chunk);
    else this.#overflow.update(chunk);
    return this.#size <= this.#bytesMax * 2;
  }

  result(): ReceivedBody {
    if (this.#overflow !== undefined) {
      return { bytes: new Uint8Array(), digest: this.#overflow.digest('hex'), size: this.#size, tooLarge: true };
    }
    const bytes = this.#chunks.length === 1 ? (this.#chunks[0] as Uint8Array) : Buffer.concat(this.#chunks);
    return { bytes, digest: digestOf(bytes), size: bytes.length, tooLarge: false };
  }
}

function bodyError(code: 'CLY_BODY_ABORTED' | 'CLY_BODY_TIMEOUT', message: string): ClyraError {
  return new ClyraError(code, message, { retry: 'backoff' });
}
