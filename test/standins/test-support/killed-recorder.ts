// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { WarehouseEntry } from '@clyra/cli/local/sources-file';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { RecorderProcess } from '@clyra/recorder/test-support/recorder-process';
import { RecorderStack, type Registered } from '@clyra/recorder/test-support/recorder-stack';

/** What stands in the log of a source, every record of it: a statement that was written twice is there twice. */
export type Told = {
  readonly ids: readonly string[];
  readonly gaps: readonly JsonObject[];
  readonly coverageCount: number;
};

/** The recorder of one warehouse, as a process on the real log that is killed and started again. */
export class KilledRecorder {
  readonly #stack: RecorderStack;
  readonly #sourceId: string;
  readonly #sourcesFile: string;
  #process: RecorderProcess | undefined;

  private constructor(stack: RecorderStack, sourceId: string) {
    this.#stack = stack;
    this.#sourceId = sourceId;
    this.#sourcesFile = join(stack.folder, 'killed.json');
  }

  /** `entryOf` may put the source's secrets into the folder. Nothing runs yet. */
  static async open(source: Registered, entryOf: (folder: string) => Promise<WarehouseEntry>): Promise<KilledRecorder> {
    const stack = await RecorderStack.start([source]);
    const made = new KilledRecorder(stack, source.sourceId);
    const sources = [{ ...(await entryOf(stack.folder)), poll_seconds: 1 }];
    await writeFile(made.#sourcesFile, JSON.stringify(sources), { mode: 0o600 });
    return made;
  }

  /** Resolves after its first look. */
  async start(): Promise<void> {
    const env = { ...this.#stack.environment, CLYRA_SOURCES_FILE: this.#sourcesFile };
    this.#process = new RecorderProcess(env);
    await this.#process.until(({ state }) => state === 'streaming');
  }

  /** kill -9 after so long, whatever it is at then; the next one has had its first look when this resolves. */
  async killAfter(aliveMs: number): Promise<void> {
    await delay(aliveMs);
    await this.#process?.kill();
    await this.start();
  }

  /** Resolves once it has told everything before this time, by the warehouse's clock. */
  async covers(untilMs: number): Promise<void> {
    await this.#process?.until(({ covers_until }) => (covers_until ?? 0) >= untilMs);
  }

  async told(): Promise<Told> {
    const observed = await this.#stack.observed();
    const own = observed.map(({ body }) => body).filter((body) => body['source_id'] === this.#sourceId);
    const of = (kind: string): JsonObject[] => own.filter((body) => body['kind'] === kind);
    return {
      ids: of('transaction').map(({ statement }) => String((statement as JsonObject)['id'])),
      gaps: of('gap'),
      coverageCount: of('coverage').length,
    };
  }

  async close(): Promise<void> {
    await this.#process?.end('SIGTERM');
    await this.#stack.stop();
  }
}
