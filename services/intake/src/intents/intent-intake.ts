// SPDX-License-Identifier: Apache-2.0
import { foreignPosition, requireWithin } from '@clyra/core/change/log-position';
import { ClyraError } from '@clyra/core/kernel/error';
import { sleep } from '@clyra/core/ports/clock';
import type { PositionStore } from '@clyra/core/ports/position-store';
import type { LogReader, LogRecord, ReadBatch } from '@clyra/core/ports/record-log';
import type { DoorParts } from './door-parts.ts';
import { IntentDoor } from './intent-door.ts';
import { IntentProgress } from './intent-progress.ts';

export type IntentLimits = {
  /** Intents between their record and their reply. */
  readonly inFlightMax: number;
  /** Bytes of records that were read and are not begun. */
  readonly queueBytesMax: number;
};

export const INTENT_LIMITS: IntentLimits = { inFlightMax: 256, queueBytesMax: 16_777_216 };

export type IntakeIntentsParts = DoorParts & {
  /** Absent: every start reads the topic from its beginning, and finds in the log what was answered. */
  readonly positions: PositionStore | undefined;
  readonly name: string;
  /** Which partitions this intake takes; absent: all. */
  readonly partitions?: readonly number[];
  readonly limits: IntentLimits;
  readonly onConnection?: (state: 'connected' | 'lost') => void;
};

type SavedIntents = { readonly v: 0; readonly topic: string; readonly offsets: readonly number[] };

const SAVE_MS = 250;
const RECORD_BYTES = 512;

/** Reads clyra.intents, hands each record to the door, and remembers up to where all have their answers. */
export class IntentIntake {
  readonly #parts: IntakeIntentsParts;
  readonly #door: IntentDoor;
  #progress = new IntentProgress([]);
  #saved: readonly number[] = [];
  #queue: LogRecord[] = [];
  #queueBytes = 0;
  readonly #paused = new Set<number>();
  #inFlight = 0;
  #reader: LogReader | undefined;
  #cancelTimer: (() => void) | undefined;
  #isStopping = false;

  constructor(parts: IntakeIntentsParts) {
    this.#parts = parts;
    this.#door = new IntentDoor(parts);
  }

  /** Rejects with CLY_LOG_UNREACHABLE, CLY_POSITION_FOREIGN or CLY_POSITION_AHEAD, and as the position store does. */
  async start(deadlineMs: number): Promise<void> {
    const { log, topics, partitions, onConnection } = this.#parts;
    const topic = topics.intents;
    const [starts, ends] = [await log.startOffsets(topic, deadlineMs), await log.endOffsets(topic, deadlineMs)];
    const saved = await this.#load();
    const from = starts.map((start, partition) => this.#from({ partition, start, end: ends[partition] ?? 0, saved }));
    this.#progress = new IntentProgress(from);
    this.#saved = from;
    const own = from.flatMap((fromOffset, partition) =>
      partitions === undefined || partitions.includes(partition) ? [{ topic, partition, fromOffset }] : [],
    );
    if (own.length === 0) return;
    this.#reader = await log.read(
      {
        name: 'intake-intents',
        assignments: own,
        onBatch: (batch) => this.#receive(batch),
        ...(onConnection === undefined ? {} : { onConnection }),
      },
      deadlineMs,
    );
    this.#scheduleSave();
  }

  /** Takes nothing more; what is under way may end within the deadline, and the rest is read again by the next start. */
  async stop(deadlineMs: number): Promise<void> {
    const { clock } = this.#parts;
    this.#isStopping = true;
    this.#queue = [];
    this.#door.stop();
    this.#cancelTimer?.();
    await this.#reader?.close();
    const endMs = clock.nowMs() + deadlineMs;
    while (this.#inFlight > 0 && clock.nowMs() < endMs) await sleep(clock, 10);
    await this.#door.close();
    await this.#save();
  }

  async #load(): Promise<SavedIntents | undefined> {
    const { positions, name, topics } = this.#parts;
    const saved = (await positions?.load(`${name}.intents`)) as SavedIntents | undefined;
    if (saved !== undefined && (saved.v !== 0 || saved.topic !== topics.intents)) {
      throw foreignPosition('it is of another topic than this intake reads intents from', { topic: topics.intents });
    }
    return saved;
  }

  #from(place: { partition: number; start: number; end: number; saved: SavedIntents | undefined }): number {
    const { partition, start, end, saved } = place;
    const topic = this.#parts.topics.intents;
    const offset = saved?.offsets[partition] ?? start;
    if (offset < start) {
      this.#parts.logger.error('intents were deleted before they were read', { partition, count: start - offset });
      this.#parts.edge.count('CLY_INTENT_LOST', start - offset);
      return start;
    }
    requireWithin(offset, { topic, partition, start, end });
    return offset;
  }

  #receive({ partition, records }: ReadBatch): void {
    if (this.#isStopping) return;
    for (const record of records) {
      this.#progress.take(partition, record.offset);
      this.#queue.push(record);
      this.#queueBytes += sizeOf(record);
    }
    if (this.#queueBytes > this.#parts.limits.queueBytesMax) {
      this.#paused.add(partition);
      this.#reader?.pause(this.#parts.topics.intents, partition);
    }
    this.#pump();
  }

  #pump(): void {
    const { limits, topics, meter } = this.#parts;
    while (this.#inFlight < limits.inFlightMax && !this.#isStopping) {
      const record = this.#queue.shift();
      if (record === undefined) break;
      this.#queueBytes -= sizeOf(record);
      this.#inFlight += 1;
      void this.#carryOut(record);
    }
    if (this.#paused.size > 0 && this.#queueBytes <= limits.queueBytesMax / 2) {
      for (const partition of this.#paused) this.#reader?.resume(topics.intents, partition);
      this.#paused.clear();
    }
    meter.waiting(this.#progress.openCount);
  }

  async #carryOut(record: LogRecord): Promise<void> {
    const fate = await this.#door.take(record);
    if (fate !== 'left') this.#progress.finish(record.partition, record.offset);
    this.#inFlight -= 1;
    this.#pump();
  }

  #scheduleSave(): void {
    this.#cancelTimer = this.#parts.clock.after(SAVE_MS, () => {
      void this.#save().then(() => {
        if (!this.#isStopping) this.#scheduleSave();
      });
    });
  }

  async #save(): Promise<void> {
    const { positions, name, topics, logger } = this.#parts;
    const { offsets } = this.#progress;
    if (positions === undefined || offsets.join() === this.#saved.join()) return;
    const position: SavedIntents = { v: 0, topic: topics.intents, offsets };
    try {
      await positions.save(`${name}.intents`, position);
      this.#saved = offsets;
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      logger.warn('the place in clyra.intents is not saved', { code: error.code, error: error.message });
    }
  }
}

function sizeOf({ key, value, headers = [] }: LogRecord): number {
  const named = headers.reduce((sum, [name, content]) => sum + name.length + (content?.length ?? 0), 0);
  return (key?.length ?? 0) + (value?.length ?? 0) + named + RECORD_BYTES;
}
