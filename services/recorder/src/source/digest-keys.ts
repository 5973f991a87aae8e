// SPDX-License-Identifier: Apache-2.0
import { createSecretKey, type KeyObject } from 'node:crypto';
import { mkdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Random } from '@clyra/core/ports/random';
import { createWhole } from '@clyra/runtime/whole-file';

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
  #turn: Promise<unknown> = Promise.resolve();

  constructor(folder: string, random: Random) {
    this.#folder = folder;
    this.#random = random;
  }

  async keyOf(tenant: string, mayCreate: boolean): Promise<KeyObject> {
    const path = join(this.#folder, `${tenant}.key`);
    const known = await read(path);
    const text = mayCreate && !isKey(known) ? await this.#madeInTurn(path) : known;
    if (text === undefined) throw invalid(path, 'is missing, and the tenant has observations: restore it');
    if (!HEX.test(text)) throw invalid(path, 'does not hold 64 hexadecimal digits');
    return createSecretKey(Buffer.from(text, 'hex'));
  }

  /** Two sources of one tenant may start together: the first one's key counts. */
  #madeInTurn(path: string): Promise<string> {
    const made = this.#turn.then(() => this.#make(path));
    this.#turn = made.catch(() => undefined);
    return made;
  }

  async #make(path: string): Promise<string> {
    const known = await read(path);
    if (isKey(known)) return known;
    const text = Buffer.from(this.#random.bytes(KEY_BYTES)).toString('hex');
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    try {
      if (known !== undefined) await unlink(path);
      await createWhole(path, `${text}\n`, 0o600);
      return text;
    } catch (cause) {
      const { code } = cause as { readonly code?: string };
      const winner = code === 'EEXIST' ? await read(path) : undefined;
      if (winner !== undefined) return winner;
      throw invalid(path, `cannot be written (${code})`, cause);
    }
  }
}

/** An empty file is what an older recorder left when it ended while it made the key: nothing was digested under it. */
function isKey(text: string | undefined): text is string {
  return text !== undefined && text !== '';
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
