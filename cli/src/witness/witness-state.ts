// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import type { WitnessedHead } from '@clyra/core/evidence/judge-witness-request';
import { parseNote } from '@clyra/core/evidence/note';
import { readIfThere, writeWhole } from '@clyra/runtime/whole-file';

/**
 * What a witness keeps on disk: for each origin the whole checkpoint that it cosigned last, because only the log's own
 * signature under two of them proves that a log lied. One process for each folder.
 */
export class WitnessState {
  readonly #folder: string;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** One request for an origin at a time: a head that is judged must still be the last when the next one is kept. */
  async inTurn<T>(origin: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(origin) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#turns.set(origin, mine);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(origin) === mine) this.#turns.delete(origin);
    }
  }

  async last(origin: string): Promise<WitnessedHead | undefined> {
    const bytes = await readIfThere(join(this.#folderOf(origin), 'checkpoint'));
    return bytes === undefined ? undefined : parseNote(bytes).head;
  }

  /** Durable when it resolves: only then may the cosignature leave. */
  async keep(origin: string, checkpoint: Uint8Array): Promise<void> {
    await this.#write(origin, 'checkpoint', checkpoint);
  }

  /** Puts a contradicting checkpoint beside the last one; returns where. */
  async keepFork(origin: string, checkpoint: Uint8Array): Promise<string> {
    return this.#write(origin, `fork-${digestOf(checkpoint).slice(0, 16)}`, checkpoint);
  }

  async #write(origin: string, name: string, checkpoint: Uint8Array): Promise<string> {
    const folder = this.#folderOf(origin);
    await mkdir(folder, { recursive: true });
    const path = join(folder, name);
    await writeWhole(path, checkpoint);
    return path;
  }

  #folderOf(origin: string): string {
    return join(this.#folder, digestOf(origin));
  }
}
