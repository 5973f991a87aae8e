// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { ClyraError } from '@clyra/core/kernel/error';
import type { CallStore } from './call-log.ts';

const BYTES_MAX = 1_073_741_824;

/** Partners' records in one file that only grows: the digests in receipts lead to its lines. */
export class CallFile implements CallStore {
  readonly #path: string;
  readonly #handle: FileHandle;
  #size: number;

  private constructor(path: string, handle: FileHandle, size: number) {
    this.#path = path;
    this.#handle = handle;
    this.#size = size;
  }

  /** A last line that a crash cut off was never answered for: it is taken off. Rejects with CLY_VOICE_LOG_UNAVAILABLE. */
  static async open(path: string): Promise<CallFile> {
    try {
      const handle = await open(path, 'a+', 0o600);
      const whole = await endOfLastLine(handle);
      await handle.truncate(whole);
      return new CallFile(path, handle, whole);
    } catch (cause) {
      throw unavailable(path, cause);
    }
  }

  async append(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    if (this.#size + bytes.length > BYTES_MAX) {
      const message = `${this.#path} has reached ${BYTES_MAX} bytes: archive it and restart intake`;
      throw new ClyraError('CLY_VOICE_LOG_FULL', message, { retry: 'backoff' });
    }
    try {
      await this.#handle.appendFile(bytes);
      await this.#handle.datasync();
      this.#size += bytes.length;
    } catch (cause) {
      // Half a line must not stand before the next one.
      await this.#handle.truncate(this.#size).catch(() => {});
      throw unavailable(this.#path, cause);
    }
  }

  async *read(): AsyncIterable<string> {
    if (this.#size === 0) return;
    yield* createInterface({ input: createReadStream(this.#path), crlfDelay: Number.POSITIVE_INFINITY });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

const TAIL_BYTES = 65_536;
const LINE_FEED = 0x0a;

async function endOfLastLine(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
  await handle.read(tail, 0, tail.length, size - tail.length);
  return size - tail.length + tail.lastIndexOf(LINE_FEED) + 1;
}

function unavailable(path: string, cause: unknown): ClyraError {
  const code = (cause as NodeJS.ErrnoException).code;
  return new ClyraError('CLY_VOICE_LOG_UNAVAILABLE', `${path} cannot be written (${code}): repair it`, {
    retry: 'backoff',
    cause,
  });
}
