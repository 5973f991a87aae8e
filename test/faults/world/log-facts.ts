// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause, setImmediate as yieldTurn } from 'node:timers/promises';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import type { LogRecord, ReadBatch } from '@clyra/core/ports/record-log';
import type { FaultWorld } from './fault-world.ts';

/** One body as it stands in a topic. `position` is `partition/offset` of the change that it is about. */
export type Stated = { readonly body: JsonObject; readonly appendTimeMs: number; readonly position: string };

export type LogFacts = {
  readonly changes: readonly Stated[];
  /** The first receipt of each position: the effective one. */
  readonly receipts: readonly Stated[];
  readonly duplicateCount: number;
};

const DEADLINE_MS = 60_000;
const LOOK_EVERY_MS = 20;
/** So many records are decoded in one turn: proxies, callers and upstream of a test live in the same process. */
const TURN_COUNT = 100;

/** Reads both topics past every proxy. It goes on where it stopped, so that a test may ask again and again. */
export class LogFollower {
  readonly #world: FaultWorld;
  readonly #raw: LogRecord[] = [];
  readonly #changes: Stated[] = [];
  readonly #receipts = new Map<string, Stated>();
  #receiptCount = 0;
  #reading: Promise<unknown> | undefined;
  readonly #nextOffsets = new Map<string, number>();

  constructor(world: FaultWorld) {
    this.#world = world;
  }

  /** Everything up to what is the end of both topics now. */
  async read(): Promise<LogFacts> {
    this.#reading ??= this.#start();
    await this.#reading;
    await this.#reach(this.#world.topics.changes);
    await this.#reach(this.#world.topics.receipts);
    for (let turn = this.#raw.splice(0, TURN_COUNT); turn.length > 0; turn = this.#raw.splice(0, TURN_COUNT)) {
      for (const record of turn) await this.#decode(record);
      await yieldTurn();
    }
    return {
      changes: [...this.#changes],
      receipts: [...this.#receipts.values()],
      duplicateCount: this.#receiptCount - this.#receipts.size,
    };
  }

  async #start(): Promise<void> {
    const { log, topics } = this.#world;
    const assignments = [];
    for (const topic of [topics.changes, topics.receipts]) {
      const starts = await log.startOffsets(topic, DEADLINE_MS);
      assignments.push(...starts.map((fromOffset, partition) => ({ topic, partition, fromOffset })));
    }
    const onBatch = ({ topic, partition, records }: ReadBatch): void => {
      for (const record of records) this.#raw.push(record);
      const last = records.at(-1);
      if (last !== undefined) this.#nextOffsets.set(`${topic}/${partition}`, last.offset + 1);
    };
    await log.read({ name: 'fault-test', assignments, onBatch }, DEADLINE_MS);
  }

  async #reach(topic: string): Promise<void> {
    const ends = await this.#world.log.endOffsets(topic, DEADLINE_MS);
    const endMs = performance.now() + DEADLINE_MS;
    while (ends.some((end, partition) => (this.#nextOffsets.get(`${topic}/${partition}`) ?? 0) < end)) {
      if (performance.now() > endMs) throw new Error(`${topic} could not be read to its end`);
      await pause(LOOK_EVERY_MS);
    }
  }

  async #decode({ topic, partition, offset, appendTimeMs, value }: LogRecord): Promise<void> {
    const { codec, topics } = this.#world;
    const bytes = value ?? new Uint8Array();
    if (topic === topics.changes) {
      const { body } = await codec.decode('ChangeEnvelope', bytes);
      this.#changes.push({ body: parseRecord(body), appendTimeMs, position: `${partition}/${offset}` });
      return;
    }
    const envelope = await codec.decode('ReceiptEnvelope', bytes);
    const position = `${partition}/${envelope.offset}`;
    this.#receiptCount += 1;
    if (this.#receipts.has(position)) return;
    this.#receipts.set(position, { body: parseRecord(envelope.body), appendTimeMs, position });
  }
}

/** The two topics as they stand now. */
export function readLogFacts(world: FaultWorld): Promise<LogFacts> {
  return new LogFollower(world).read();
}
