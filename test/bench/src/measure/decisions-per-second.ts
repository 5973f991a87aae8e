// SPDX-License-Identifier: Apache-2.0
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import { keyFileOf } from '@clyra/cli/local/layout';
import { parseRecord } from '@clyra/core/canonical/record';
import { type TopicNames, topicNames } from '@clyra/core/change/topics';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { LogReader, LogRecord } from '@clyra/core/ports/record-log';
import { registryCodec } from '@clyra/runtime/envelope-codec';
import type { World } from '../world/world.ts';
import { ChangeForge } from './change-forge.ts';
import { PartitionWindow } from './partition-window.ts';

export type DecisionRate = {
  readonly inFlightMax: number;
  /** Of each round. */
  readonly perSecond: readonly number[];
  readonly decisionCount: number;
  /** Decisions other than allow: there must be none. */
  readonly refusedCount: number;
};

export type DecisionPlan = { readonly inFlightMax: number; readonly rounds: number; readonly durationMs: number };

const DEADLINE_MS = 30_000;
const SEND_BODIES_MAX = 256;

/** Writes signed changes straight to the log, as many as a live enforcer answers, and counts its receipts. */
export class DecisionLoad {
  readonly #log: KafkaLog;
  readonly #topics: TopicNames;
  readonly #codec: EnvelopeCodec;
  readonly #forge: ChangeForge;

  private constructor(parts: { log: KafkaLog; topics: TopicNames; codec: EnvelopeCodec; forge: ChangeForge }) {
    this.#log = parts.log;
    this.#topics = parts.topics;
    this.#codec = parts.codec;
    this.#forge = parts.forge;
  }

  static async open(world: World): Promise<DecisionLoad> {
    const { settings, local } = world;
    const codec = await registryCodec({ url: settings.registry_url, deadlineMs: DEADLINE_MS });
    const signer = await fileSigner(keyFileOf(local.layout, 'intake'));
    const log = new KafkaLog({ brokers: settings.kafka_brokers, clientId: 'bench-decisions' });
    const forge = await ChangeForge.open(world, { codec, signer });
    return new DecisionLoad({ log, codec, forge, topics: topicNames(settings.topic_prefix) });
  }

  async measure(plan: DecisionPlan): Promise<DecisionRate> {
    const perSecond: number[] = [];
    let decisionCount = 0;
    let refusedCount = 0;
    for (let round = 0; round < plan.rounds; round += 1) {
      const { answers, elapsedMs } = await answeredInTime(this.#round(plan), plan.durationMs + DEADLINE_MS);
      perSecond.push((answers.length * 1_000) / elapsedMs);
      decisionCount += answers.length;
      for (const answer of answers) if (await this.#isRefusal(answer)) refusedCount += 1;
    }
    return { inFlightMax: plan.inFlightMax, perSecond, decisionCount, refusedCount };
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  async #round({ inFlightMax, durationMs }: DecisionPlan): Promise<{ answers: LogRecord[]; elapsedMs: number }> {
    const { partitions } = this.#forge;
    const windows = new Map(
      partitions.map((partition) => [partition, new PartitionWindow(inFlightMax / partitions.length)]),
    );
    const answers: LogRecord[] = [];
    const reader = await this.#readAnswers(windows, answers);
    const startMs = performance.now();
    const feeds = [...windows].map(([partition, window]) => this.#feed(partition, window, startMs + durationMs));
    await Promise.all(feeds);
    while ([...windows.values()].some(({ waiting }) => waiting > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const elapsedMs = performance.now() - startMs;
    await reader.close();
    return { answers, elapsedMs };
  }

  async #readAnswers(windows: ReadonlyMap<number, PartitionWindow>, answers: LogRecord[]): Promise<LogReader> {
    const topic = this.#topics.receipts;
    const ends = await this.#log.endOffsets(topic, DEADLINE_MS);
    const assignments = ends.map((fromOffset, partition) => ({ topic, partition, fromOffset }));
    return this.#log.read(
      {
        name: 'bench-decisions',
        assignments,
        onBatch: ({ partition, records }) => {
          for (const record of records) answers.push(record);
          windows.get(partition)?.answered(records.length);
        },
      },
      DEADLINE_MS,
    );
  }

  async #feed(partition: number, window: PartitionWindow, endMs: number): Promise<void> {
    const appender = this.#log.appender(`bench-decisions-${partition}`);
    while (performance.now() < endMs) {
      const records = await this.#forge.make(partition, await window.take(SEND_BODIES_MAX));
      await appender.append([{ topic: this.#topics.changes, partition, records }], DEADLINE_MS);
    }
    await appender.close();
  }

  async #isRefusal({ value }: LogRecord): Promise<boolean> {
    const { body } = await this.#codec.decode('ReceiptEnvelope', value ?? new Uint8Array());
    const receipt = parseRecord(body);
    // Clock ticks and closed windows of the intake beside us are answered too.
    return receipt['change_kind'] === 'change.requested' && receipt['decision'] !== 'allow';
  }
}

/** An enforcer that has stopped answers nothing for ever. */
async function answeredInTime<T>(round: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the enforcer left changes unanswered: see its log')), deadlineMs);
  });
  return Promise.race([round, late]).finally(() => clearTimeout(timer));
}
