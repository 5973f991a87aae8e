// SPDX-License-Identifier: Apache-2.0
import { createSecretKey, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Random } from '@clyra/core/ports/random';

const KEY_BYTES = 32;
const HEX = /^[0-9a-f]{64}$/;
const OTHERS = 0o077;

/** The secret under which a tenant's row digests are made: without it, digests of small rows could be guessed. */
export interface DigestKeys {
  /**
   * `mayCreate`: the tenant has no observations yet. Afterwards a missing key is CLY_RECORDER_DIGEST_KEY (never):
   * under a new one a transaction read again would have other bytes than the one in the log.
   */
  keyOf(tenant: string, mayCreate: boolean): Promise<KeyObject>;
}

/** One file `<tenant>.key` of 64 hex digits, readable by its owner only. */
export class FileDigestKeys implements DigestKeys {
  readonly #folder: string;
  readonly #random: Random;

  constructor(folder: string, random: Random) {
    this.#folder = folder;
    this.#random = random;
  }

  async keyOf(tenant: string, mayCreate: boolean): Promise<KeyObject> {
    const path = join(this.#folder, `${tenant}.key`);
    const text = (await read(path)) ?? (mayCreate ? await this.#create(path) : undefined);
    if (text === undefined) throw invalid(path, 'is missing, and the tenant has observations: restore it');
    if (!HEX.test(text)) throw invalid(path, 'does not hold 64 hexadecimal digits');
    return createSecretKey(Buffer.from(text, 'hex'));
  }

  async #create(path: string): Promise<string> {
    const text = Buffer.from(this.#random.bytes(KEY_BYTES)).toString('hex');
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    try {
      const file = await open(path, 'wx', 0o600);
      try {
        await file.writeFile(`${text}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      return text;
    } catch (cause) {
      // Two sources of one tenant may start together: the first one's key counts.
      const winner = (cause as { code?: string }).code === 'EEXIST' ? await read(path) : undefined;
      if (winner !== undefined) return winner;
      throw invalid(path, `cannot be written (${(cause as { code?: string }).code})`, cause);
    }
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    if ((mode & OTHERS) !== 0) throw invalid(path, `can be read by others; run \`chmod 600 ${path}\``);
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    if (cause instanceof ClyraError) throw cause;
    if ((cause as { code?: string }).code === 'ENOENT') return undefined;
    throw invalid(path, `cannot be read (${(cause as { code?: string }).code})`, cause);
  }
}

function invalid(path: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_RECORDER_DIGEST_KEY', `digest key ${path} ${what}`, {
    retry: 'never',
    context: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
