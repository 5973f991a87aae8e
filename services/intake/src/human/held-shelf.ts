// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { mkdir, open as openFile, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { Random } from '@clyra/core/ports/random';
import { keyFor, open, seal } from './sealed-box.ts';

/** A held request as it came in: what a person must see before they approve it. */
export type KeptRequest = {
  readonly method: string;
  readonly target: string;
  readonly contentType: string;
  readonly body: Uint8Array;
};

export type ShelfOptions = {
  readonly folder: string;
  /** The secret that all intakes share. */
  readonly secret: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly bytesMax?: number;
  readonly countMax?: number;
};

export type Keeping = { readonly tenant: string; readonly of: string; readonly untilMs: number };

const BYTES_MAX = 268_435_456;
const COUNT_MAX = 10_000;
const SWEEP_MS = 30_000;
const NAME = /^([0-9a-f]{64})\.([1-9][0-9]{0,15})$/;

/**
 * Held requests, encrypted, for as long as they may be approved and no longer; never in the log. A folder that several
 * intakes share lets each show what another held. Full means that nothing more is kept: then nobody can approve it here.
 */
export class HeldShelf {
  readonly #options: ShelfOptions;
  readonly #keys = new Map<string, KeyObject>();
  #cancelSweep: (() => void) | undefined;

  private constructor(options: ShelfOptions) {
    this.#options = options;
  }

  static async open(options: ShelfOptions): Promise<HeldShelf> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const shelf = new HeldShelf(options);
    await shelf.#sweep();
    return shelf;
  }

  /** False where there is no room. Rejects where the folder cannot be written. */
  async keep({ tenant, of, untilMs }: Keeping, request: KeptRequest): Promise<boolean> {
    const { folder, random, bytesMax = BYTES_MAX, countMax = COUNT_MAX } = this.#options;
    const name = nameOf(tenant, of);
    const files = await this.#files();
    if (files.some((file) => file.startsWith(name))) return true;
    const box = seal(this.#keyOf(tenant), encode(request), { about: `${tenant}\n${of}`, random });
    const sizes = await Promise.all(files.map((file) => sizeOf(join(folder, file))));
    const used = sizes.reduce((sum, size) => sum + size, 0);
    if (files.length >= countMax || used + box.length > bytesMax) return false;
    const partial = join(folder, `${name}.part-${Buffer.from(random.bytes(6)).toString('hex')}`);
    const handle = await openFile(partial, 'wx', 0o600);
    try {
      await handle.writeFile(box);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, join(folder, `${name}.${untilMs}`));
    return true;
  }

  /** undefined where it was not kept, is over, or is not what was put there. */
  async get(tenant: string, of: string): Promise<KeptRequest | undefined> {
    const name = nameOf(tenant, of);
    const file = (await this.#files()).find((one) => one.startsWith(name));
    if (file === undefined || Number(NAME.exec(file)?.[2]) <= this.#options.clock.nowMs()) return undefined;
    const box = await readFile(join(this.#options.folder, file)).catch(() => undefined);
    const content = box === undefined ? undefined : open(this.#keyOf(tenant), box, `${tenant}\n${of}`);
    return content === undefined ? undefined : decode(content);
  }

  /** What nobody waits for any more. */
  async drop(tenant: string, of: string): Promise<void> {
    const name = nameOf(tenant, of);
    for (const file of await this.#files()) if (file.startsWith(name)) await this.#remove(file);
  }

  close(): void {
    this.#cancelSweep?.();
  }

  async #sweep(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    for (const file of await this.#files()) {
      const untilMs = Number(NAME.exec(file)?.[2] ?? nowMs + 1);
      if (untilMs <= nowMs) await this.#remove(file);
    }
    this.#cancelSweep = this.#options.clock.after(SWEEP_MS, () => {
      this.#sweep().catch((error: unknown) =>
        this.#options.logger.error('held requests stay', { error: String(error) }),
      );
    });
  }

  async #files(): Promise<readonly string[]> {
    return (await readdir(this.#options.folder)).filter((file) => NAME.test(file));
  }

  async #remove(file: string): Promise<void> {
    await unlink(join(this.#options.folder, file)).catch(ignoreAbsent);
  }

  #keyOf(tenant: string): KeyObject {
    const known = this.#keys.get(tenant);
    if (known !== undefined) return known;
    const key = keyFor(this.#options.secret, `held/v0\n${tenant}`);
    this.#keys.set(tenant, key);
    return key;
  }
}

/** Another intake may have removed it a moment ago. */
function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** File names tell nobody which tenant or change they are of. */
function nameOf(tenant: string, of: string): string {
  return digestOf(`clyra/held/v0\n${tenant}\n${of}`);
}

function encode({ method, target, contentType, body }: KeptRequest): Buffer {
  const head = Buffer.from(`${JSON.stringify({ method, target, contentType })}\n`);
  return Buffer.concat([head, body]);
}

function decode(content: Buffer): KeptRequest {
  const end = content.indexOf(0x0a);
  const { method, target, contentType } = JSON.parse(content.subarray(0, end).toString('utf8')) as KeptRequest;
  return { method, target, contentType, body: content.subarray(end + 1) };
}
