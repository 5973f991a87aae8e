// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import { readOwnerFile } from '@clyra/runtime/owner-file';
import type { Credentials } from './gateway/authenticate.ts';
import { type Credential, parseCredentials } from './gateway/credentials.ts';

const REFRESH_MS = 1_000;

/** The callers' keys from a file, read again (at most once a second) when a key is asked for that it does not have. */
export class CredentialsFile implements Credentials {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #known: ReadonlyMap<string, Credential>;
  #readAtMs: number;

  private constructor(path: string, known: ReadonlyMap<string, Credential>, parts: { clock: Clock; logger: Logger }) {
    this.#path = path;
    this.#known = known;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#readAtMs = parts.clock.nowMs();
  }

  /** Rejects with CLY_CREDENTIALS_INVALID for a file that is absent, malformed, or readable by others. */
  static async open(path: string, parts: { clock: Clock; logger: Logger }): Promise<CredentialsFile> {
    return new CredentialsFile(path, await readCredentials(path), parts);
  }

  get(keyId: string): Credential | undefined {
    return this.#known.get(keyId);
  }

  /** A file that has become unreadable changes nothing: the keys that were known stay. */
  async refresh(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#readAtMs < REFRESH_MS) return;
    this.#readAtMs = nowMs;
    try {
      this.#known = await readCredentials(this.#path);
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      this.#logger.error('the credentials were not read again', { code: error.code, detail: error.message });
    }
  }
}

async function readCredentials(path: string): Promise<ReadonlyMap<string, Credential>> {
  const advice = 'set CLYRA_CREDENTIALS_FILE';
  const bytes = await readOwnerFile(path, { advice, invalid: (what, cause) => invalid(path, what, cause) });
  return parseCredentials(bytes);
}

function invalid(path: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_CREDENTIALS_INVALID', `the credentials file ${path} ${what}`, { retry: 'never', cause });
}
