// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '@clyra/core/ports/random';
import { spoolError, writeError } from './spool-error.ts';
import { SPOOL_LIMITS, type SpoolLimits, type SpoolRoom } from './spool-room.ts';
import { SpooledBody } from './spooled-body.ts';

const NAME = /^[0-9a-f]{32}\.body$/;

/**
 * Bodies that wait for their decision. Files are encrypted under keys that are only in memory: what a crash leaves
 * behind can be read by nobody, and is removed at the next start. A full spool refuses; it never drops.
 */
export class SpoolFolder implements SpoolRoom {
  readonly limits: SpoolLimits;
  readonly #path: string;
  readonly #random: Random;
  #bytes = 0;
  #count = 0;

  private constructor(path: string, limits: SpoolLimits, random: Random) {
    this.#path = path;
    this.limits = limits;
    this.#random = random;
  }

  /** Removes what an earlier life left. Rejects with CLY_SPOOL_UNAVAILABLE where the folder cannot be used. */
  static async open(path: string, random: Random, limits: Partial<SpoolLimits> = {}): Promise<SpoolFolder> {
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
      const left = (await readdir(path)).filter((name) => NAME.test(name));
      await Promise.all(left.map((name) => rm(join(path, name), { force: true })));
    } catch (cause) {
      throw spoolError('CLY_SPOOL_UNAVAILABLE', `the spool folder ${path} cannot be used: make it writable`, cause);
    }
    return new SpoolFolder(path, { ...SPOOL_LIMITS, ...limits }, random);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#count;
  }

  /** Throws CLY_SPOOL_FULL when as many bodies wait as may. */
  create(): SpooledBody {
    if (this.#count >= this.limits.countMax) {
      throw spoolError('CLY_SPOOL_FULL', `${this.limits.countMax} bodies wait already: send it again later`);
    }
    this.#count += 1;
    return new SpooledBody(this, { id: this.#random.bytes(16), key: this.#random.bytes(32) });
  }

  /** Throws CLY_SPOOL_FULL when there is no room for so many more bytes. */
  reserve(byteCount: number): void {
    if (this.#bytes + byteCount > this.limits.bytesMax) {
      throw spoolError('CLY_SPOOL_FULL', `the spool holds ${this.limits.bytesMax} bytes at most: send it again later`);
    }
    this.#bytes += byteCount;
  }

  /** A body is gone, and what it reserved with it. */
  release(byteCount: number): void {
    this.#bytes -= byteCount;
    this.#count -= 1;
  }

  async openFile(id: Uint8Array): Promise<{ readonly handle: FileHandle; readonly path: string }> {
    const path = join(this.#path, `${Buffer.from(id).toString('hex')}.body`);
    try {
      return { handle: await open(path, 'wx+', 0o600), path };
    } catch (cause) {
      throw writeError(cause);
    }
  }
}
