// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import { isJsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { ClyraError } from '@clyra/core/kernel/error';
import type { PositionStore } from '@clyra/core/ports/position-store';
import { writeWhole } from './whole-file.ts';

const DIGEST_SIZE = 64;

/** Positions as files of one folder: the digest of what follows, LF, JSON. */
export class FilePositionStore implements PositionStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(name: string): Promise<object | undefined> {
    const path = this.#pathOf(name);
    let bytes: Buffer;
    try {
      bytes = await readFile(path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw fault('CLY_POSITION_UNREADABLE', `the position ${path} cannot be read: see to the disk`, { path, cause });
    }
    const content = bytes.subarray(DIGEST_SIZE + 1);
    const isWhole = bytes.subarray(0, DIGEST_SIZE).toString('latin1') === digestOf(content);
    const position = isWhole ? (JSON.parse(content.toString('utf8')) as JsonValue) : undefined;
    if (isJsonObject(position)) return position;
    const what = `the position ${path} is not as it was saved: remove it, and the start reads the topics from their beginning`;
    throw fault('CLY_POSITION_DAMAGED', what, { path });
  }

  async save(name: string, position: object): Promise<void> {
    const path = this.#pathOf(name);
    const content = Buffer.from(JSON.stringify(position), 'utf8');
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeWhole(path, Buffer.concat([Buffer.from(`${digestOf(content)}\n`, 'latin1'), content]), 0o600);
    } catch (cause) {
      const what = `the position ${path} cannot be written: free space or give this user the right to`;
      throw fault('CLY_POSITION_UNWRITTEN', what, { path, cause });
    }
  }

  #pathOf(name: string): string {
    return join(this.#folder, `${name.replaceAll('/', '_')}.position`);
  }
}

function fault(code: `CLY_${string}`, what: string, { path, cause }: { path: string; cause?: unknown }): ClyraError {
  const retry = code === 'CLY_POSITION_DAMAGED' ? 'never' : 'backoff';
  return new ClyraError(code, what, { retry, context: { path }, cause });
}
