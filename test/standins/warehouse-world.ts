// SPDX-License-Identifier: Apache-2.0
import { createSecretKey } from 'node:crypto';
import { parseLsn } from '@clyra/adapter-postgres/lsn';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { topicNames } from '@clyra/core/change/topics';
import { readObservation } from '@clyra/core/evidence/observation-body';
import type { Policy } from '@clyra/core/policy/policy';
import type { Clock } from '@clyra/core/ports/clock';
import { silentLogger } from '@clyra/core/ports/logger';
import type { LogRecord } from '@clyra/core/ports/record-log';
import type { Finding } from '@clyra/core/reconciliation/live-findings';
import type { RecordedSource } from '@clyra/recorder/recorder.processor';
import { RecorderProcessor } from '@clyra/recorder/recorder.processor';
import type { SourceStatus } from '@clyra/recorder/source-figures';
import type { HistoryRequest, HistorySource } from '@clyra/recorder/warehouse/history-source';
import { FoldScript, SCRIPT_KEYS, TENANT } from '@clyra/testing/fold-script';
import { MemoryPositionStore } from '@clyra/testing/memory-position-store';
import { plainCodec } from '@clyra/testing/plain-codec';
import { realClock } from '@clyra/testing/real-clock';
import { receiptEnvelope } from '@clyra/testing/receipt-envelope';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimLog, type SimLogClient, type SimLogFaults } from '@clyra/testing/sim-log';

/** Of a request for a history of which the log has nothing. */
export const NOTHING_TOLD: Pick<HistoryRequest, 'isKnown' | 'newestTold' | 'wasSetBack' | 'covered' | 'resume'> = {
  isKnown: () => false,
  newestTold: () => undefined,
  wasSetBack: () => false,
  covered: new Set(),
  resume: new Map(),
};

const topics = topicNames();
const PARTITION = 1;
const DIGEST_KEY = createSecretKey(Buffer.alloc(32, 9));
const POLL_MS = 100;
const TUNING = { settleMs: 200, refusedMs: 500 };
const LOOK_MS = 25;

export type WorldOptions = {
  readonly seed: number;
  readonly sourceId: string;
  readonly systemId: string;
  /** `catalog.schema.table` of each. */
  readonly guarded: readonly string[];
  readonly faults?: Partial<SimLogFaults>;
  readonly policy?: Policy;
  readonly pollIntervalMs?: number;
  /** A simulation's; without it the machine's. */
  readonly clock?: Clock;
};

export type Running = {
  readonly client: SimLogClient;
  readonly processor: RecorderProcessor;
  readonly history: HistorySource;
};

/** A tenant with one registered warehouse on a simulated log. Against a stand-in it runs on the machine's clock, since a driver does. */
export class WarehouseWorld {
  readonly random: SeededRandom;
  readonly log: SimLog;
  readonly script: FoldScript;
  readonly #options: WorldOptions;
  readonly #clock: Clock;
  #publishedCount = 0;

  private constructor(options: WorldOptions) {
    this.#options = options;
    this.script = new FoldScript(options.policy);
    this.random = new SeededRandom(options.seed);
    this.#clock = options.clock ?? realClock;
    this.log = new SimLog({ clock: this.#clock, random: this.random, faults: options.faults ?? {} });
    for (const topic of [topics.changes, topics.receipts, topics.observations]) this.log.createTopic(topic, 2);
  }

  static async open(options: WorldOptions): Promise<WarehouseWorld> {
    const world = new WarehouseWorld(options);
    await world.script.opened();
    const { sourceId, systemId } = options;
    const members = { source_id: sourceId, database: digestOf(systemId), system_id: systemId };
    await world.script.command('source.registered', members, [SCRIPT_KEYS.operator]);
    world.publishSteps();
    return world;
  }

  /** Intake's and the enforcer's part: every change of the script and its receipt. */
  publishSteps(): void {
    for (const [index, envelope] of this.script.envelopes.entries()) {
      if (index < this.#publishedCount) continue;
      const folded = this.script.steps[index]?.folded;
      if (folded === undefined) throw new Error('a change has its receipt');
      this.log.put(topics.changes, PARTITION, [{ key: null, value: plainCodec.encode('ChangeEnvelope', envelope) }]);
      const receipt = receiptEnvelope(folded);
      this.log.put(topics.receipts, PARTITION, [{ key: null, value: plainCodec.encode('ReceiptEnvelope', receipt) }]);
    }
    this.#publishedCount = this.script.envelopes.length;
  }

  start(history: HistorySource): Running {
    const { sourceId, guarded, pollIntervalMs = POLL_MS } = this.#options;
    const client = this.log.connect();
    const tables = guarded.map((name) => {
      const dot = name.lastIndexOf('.');
      return { schema: name.slice(0, dot), name: name.slice(dot + 1) };
    });
    const source: RecordedSource = {
      identity: { tenant: TENANT, sourceId },
      guarded: { tables, schemas: [] },
      history,
      tuning: { pollIntervalMs, ...TUNING },
    };
    const processor = new RecorderProcessor({
      log: client,
      codec: plainCodec,
      signer: SCRIPT_KEYS.recorder,
      clock: this.#clock,
      logger: silentLogger,
      topics,
      sources: [source],
      digestKeys: { keyOf: async () => DIGEST_KEY },
      positions: new MemoryPositionStore(),
      mayPrepare: false,
      watermarkIntervalMs: 1_000,
      logDeadlineMs: 5_000,
    });
    processor.start();
    return { client, processor, history };
  }

  /** As `kill -9`: nothing of it settles any more; what it was sending may still arrive. */
  async kill({ client, processor, history }: Running): Promise<void> {
    client.crash();
    await history.close();
    await processor.stop(1);
  }

  async stop({ processor }: Running): Promise<void> {
    await processor.stop(5_000);
  }

  statusOf({ processor }: Running): SourceStatus {
    const [status] = processor.status();
    if (status === undefined) throw new Error('one source is recorded');
    return status;
  }

  /** As `GET /v1/findings` gives them. */
  findings({ processor }: Running): readonly Finding[] {
    return processor.findings().flatMap(({ findings }) => findings);
  }

  /** Every observation as it stands in the log. */
  written(): readonly { readonly body: JsonObject; readonly record: LogRecord }[] {
    return this.log.recordsOf(topics.observations, PARTITION).map((record) => {
      const envelope = plainCodec.decode('ObservationEnvelope', record.value ?? new Uint8Array());
      const body = parseRecord(envelope.body);
      readObservation(body);
      return { body, record };
    });
  }

  /** Those that become leaves of the journal (docs/spec/journal.md §2), of one kind. */
  leaves(kind: string): JsonObject[] {
    let newest = { timeline: 0, lsn: -1n };
    const seen = new Set<string>();
    return this.written().flatMap(({ body }) => {
      if (body['kind'] !== kind) return [];
      if (kind === 'transaction') {
        const place = { timeline: Number(body['timeline']), lsn: parseLsn(String(body['commit_end_lsn'])) };
        if (place.timeline === newest.timeline && place.lsn <= newest.lsn) return [];
        newest = place;
        return [body];
      }
      const id = String(body['observation_id']);
      if (seen.has(id)) return [];
      seen.add(id);
      return [body];
    });
  }

  /** Ids of all statements that were told, in the order of the log. */
  toldIds(): string[] {
    return this.leaves('transaction').map((body) => String((body['statement'] as JsonObject)['id']));
  }

  gaps(): string[] {
    return this.leaves('gap').map(({ reason, from_lsn, to_lsn }) => `${reason} ${from_lsn} ${to_lsn}`);
  }

  horizonMs(): number {
    return this.leaves('watermark').reduce((last, body) => Math.max(last, Number(body['covers_until'])), 0);
  }

  /** Polls until it holds, with a deadline. */
  async until(what: string, holds: () => boolean, deadlineMs = 60_000): Promise<void> {
    const endMs = Date.now() + deadlineMs;
    while (!holds()) {
      if (Date.now() > endMs) throw new Error(`in ${deadlineMs} ms it did not come to this: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
