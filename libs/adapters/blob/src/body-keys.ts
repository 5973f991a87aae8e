// SPDX-License-Identifier: Apache-2.0
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Random } from '@clyra/core/ports/random';

const KEY_BYTES = 32;
const FILE = /^([0-9]{8})\.key$/;
const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** A day's key that is gone, and with it every body that was kept until then. */
export type ErasedDay = { readonly tenant: string; readonly day: string; readonly keyDigest: Digest };

/**
 * The keys of stored bodies: a file for each tenant and day, readable by its owner only. Several intakes share the folder;
 * it must not be on the blob store's disk, whose copies would outlive it, and no copy of it may be older than a day.
 */
export class BodyKeys {
  readonly #folder: string;
  readonly #random: Random;

  constructor(folder: string, random: Random) {
    this.#folder = folder;
    this.#random = random;
  }

  async make(tenant: string, day: string): Promise<Uint8Array> {
    const known = await this.find(tenant, day);
    if (known !== undefined) return known;
    try {
      await mkdir(join(this.#folder, tenant), { recursive: true, mode: 0o700 });
      const handle = await open(this.#pathOf(tenant, day), 'wx', 0o600);
      try {
        await handle.writeFile(this.#random.bytes(KEY_BYTES));
        await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (cause) {
      // Another intake was first: its key counts.
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw keysError('cannot be written', cause);
    }
    const made = await this.find(tenant, day);
    if (made === undefined) throw keysError('lose what is written there');
    return made;
  }

  async find(tenant: string, day: string): Promise<Uint8Array | undefined> {
    let key: Buffer;
    try {
      key = await readFile(this.#pathOf(tenant, day));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw keysError('cannot be read', cause);
    }
    // Shorter: another intake is writing it at this moment.
    if (key.length !== KEY_BYTES) throw keysError('hold a key that is not whole');
    return key;
  }

  /** Days of a tenant that have a key, ascending. */
  async days(tenant: string): Promise<readonly string[]> {
    const names = await list(join(this.#folder, tenant));
    return names.flatMap((name) => FILE.exec(name)?.[1] ?? []).sort();
  }

  /** Ends every key whose day has begun. Written over before it is removed, for what that is worth on the disk at hand. */
  async eraseUntil(nowMs: number): Promise<readonly ErasedDay[]> {
    const today = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '');
    const erased: ErasedDay[] = [];
    for (const tenant of (await list(this.#folder)).filter((name) => TENANT.test(name)).sort()) {
      for (const day of (await this.days(tenant)).filter((one) => one <= today)) {
        const key = await this.find(tenant, day);
        if (key === undefined) continue;
        await this.#destroy(tenant, day);
        erased.push({ tenant, day, keyDigest: digestOf(key) });
      }
    }
    return erased;
  }

  async #destroy(tenant: string, day: string): Promise<void> {
    const path = this.#pathOf(tenant, day);
    try {
      const handle = await open(path, 'r+');
      try {
        await handle.write(Buffer.alloc(KEY_BYTES), 0, KEY_BYTES, 0);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rm(path, { force: true });
    } catch (cause) {
      throw keysError('cannot be removed', cause);
    }
  }

  #pathOf(tenant: string, day: string): string {
    return join(this.#folder, tenant, `${day}.key`);
  }
}

async function list(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw keysError('cannot be listed', cause);
  }
}

function keysError(what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_BODY_STORE_KEYS', `the keys of stored bodies ${what}: look after CLYRA_BODY_KEY_DIR`, {
    retry: 'backoff',
    cause,
  });
}
