// SPDX-License-Identifier: Apache-2.0

import { createSecretKey } from 'node:crypto';
import { parseLsn } from '@clyra/adapter-postgres/lsn';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { topicNames } from '@clyra/core/change/topics';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { silentLogger } from '@clyra/core/ports/logger';
import { BatchVerifier } from '@clyra/core/signing/batch-verifier';
import { OBSERVATION_TYPE } from '@clyra/core/signing/pae';
import { parseBlock } from '@clyra/core/signing/parse-block';
import { FoldScript, SCRIPT_KEYS, START_MS, TENANT } from '@clyra/testing/fold-script';
import { MemoryPositionStore } from '@clyra/testing/memory-position-store';
import { plainCodec } from '@clyra/testing/plain-codec';
import { receiptEnvelope } from '@clyra/testing/receipt-envelope';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import type { SimLogFaults } from '@clyra/testing/sim-log';
import { SimLog, type SimLogClient } from '@clyra/testing/sim-log';
import { makeTestKey, makeTestTrust } from '@clyra/testing/test-keys';
import { RecorderProcessor } from '../recorder.processor.ts';
import { FakePostgres, FakeSource } from './fake-postgres.ts';

export const topics = topicNames();
export const PARTITION = 1;
const RECORDER_KEY = makeTestKey('recorder-1', ['recorder']);
const TRUST = makeTestTrust([RECORDER_KEY]);
const DIGEST_KEY = createSecretKey(Buffer.alloc(32, 7));

export type Written = {
  readonly offset: number;
  readonly body: JsonObject;
  readonly digest: string;
  readonly envelope: Envelopes['ObservationEnvelope'];
};

export type Process = {
  readonly client: SimLogClient;
  readonly source: FakeSource;
  readonly processor: RecorderProcessor;
  reason: string | undefined;
};

export type WorldOptions = { readonly seed: number; readonly faults?: Partial<SimLogFaults> };

/** A tenant with one registered source, the simulated log, and as many recorder processes as are started. */
const GUARDED = { tables: [{ schema: 'public', name: 'activations' }], schemas: [] };

export class RecorderWorld {
  readonly random: SeededRandom;
  readonly clock = new SimClock(START_MS);
  readonly log: SimLog;
  readonly postgres = new FakePostgres(this.clock);
  readonly script = new FoldScript();
  /** The data folder of every process that names none of its own. */
  readonly positions = new MemoryPositionStore();

  constructor({ seed, faults = {} }: WorldOptions) {
    this.random = new SeededRandom(seed);
    this.log = new SimLog({ clock: this.clock, random: this.random, faults });
    for (const topic of [topics.changes, topics.receipts, topics.observations]) this.log.createTopic(topic, 2);
  }

  async open(): Promise<this> {
    await this.script.opened();
    this.#publishSteps();
    return this;
  }

  async register(systemId = this.postgres.systemId): Promise<void> {
    const members = { source_id: 'crm', database: digestOf('127.0.0.1:5432/crm'), system_id: systemId };
    await this.script.command('source.registered', members, [SCRIPT_KEYS.operator]);
    this.#publishSteps();
  }

  #publishedCount = 0;

  /** Intake's and the enforcer's part: every change and its receipt. */
  #publishSteps(): void {
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

  /** With one transaction of its source observed by a process that runs on. */
  static async recorded(seed: number): Promise<{ readonly world: RecorderWorld; readonly process: Process }> {
    const world = await new RecorderWorld({ seed }).open();
    await world.register();
    const process = world.start();
    await world.clock.advance(3_000);
    world.postgres.commit();
    await world.clock.advance(3_000);
    return { world, process };
  }

  start(options: { readonly mayPrepare?: boolean; readonly positions?: MemoryPositionStore } = {}): Process {
    const client = this.log.connect();
    const source = new FakeSource(this.postgres);
    const started: { process?: Process } = {};
    const processor = new RecorderProcessor({
      log: client,
      codec: plainCodec,
      signer: RECORDER_KEY,
      clock: this.clock,
      logger: silentLogger,
      topics,
      sources: [{ identity: { tenant: TENANT, sourceId: 'crm' }, source, guarded: GUARDED }],
      digestKeys: { keyOf: async () => DIGEST_KEY },
      positions: options.positions ?? this.positions,
      mayPrepare: options.mayPrepare ?? true,
      watermarkIntervalMs: 1_000,
      logDeadlineMs: 5_000,
      onSource: (_, reason) => {
        if (started.process !== undefined) started.process.reason = reason;
      },
    });
    started.process = { client, source, processor, reason: undefined };
    processor.start();
    return started.process;
  }

  kill({ client, source }: Process): void {
    client.crash();
    source.kill();
  }

  /** Everything on clyra.observations as it stands, each signature checked. */
  written(): Written[] {
    const verifier = new BatchVerifier(OBSERVATION_TYPE, 'recorder');
    return this.log.recordsOf(topics.observations, PARTITION).map(({ offset, value }) => {
      const envelope = plainCodec.decode('ObservationEnvelope', value ?? new Uint8Array());
      if (envelope instanceof Promise) throw new Error('the plain codec is synchronous');
      const digest = digestOf(envelope.body);
      const block = parseBlock(parseRecord(envelope.signature));
      if (block === undefined || !verifier.verify(TRUST.root, { digest, block, atMs: START_MS })) {
        throw new Error(`the observation at ${offset} is not signed by the recorder`);
      }
      return { offset, body: parseRecord(envelope.body), digest, envelope };
    });
  }

  /** The first of each observation_id, in order; a later one must be the same bytes. */
  observations(kind: string): Written[] {
    const first = new Map<string, Written>();
    for (const written of this.written()) {
      const id = written.body['observation_id'] as string;
      const known = first.get(id);
      if (known === undefined) first.set(id, written);
      else if (known.digest !== written.digest) throw new Error(`${id} stands for two different bodies`);
    }
    return [...first.values()].filter(({ body }) => body['kind'] === kind);
  }

  publishedLsns(): string[] {
    return this.observations('transaction').map(({ body }) => body['commit_end_lsn'] as string);
  }

  committedLsns(): string[] {
    return this.postgres.transactions.map(({ commitEndLsn }) => commitEndLsn);
  }

  /** Transactions that were committed before what a watermark claims and are not in the log before it. */
  falseWatermarks(): string[] {
    const wrong: string[] = [];
    const seen = new Set<string>();
    for (const { body, offset } of this.written()) {
      if (body['kind'] === 'transaction') seen.add(body['commit_end_lsn'] as string);
      if (body['kind'] !== 'watermark') continue;
      const claims = ({ commitTimeMs, commitEndLsn }: (typeof this.postgres.transactions)[number]): boolean =>
        commitTimeMs < (body['covers_until'] as number) || parseLsn(commitEndLsn) <= parseLsn(body['lsn'] as string);
      const missing = this.postgres.transactions.filter(claims).find(({ commitEndLsn }) => !seen.has(commitEndLsn));
      if (missing !== undefined) wrong.push(`${offset}: ${missing.commitEndLsn}`);
    }
    return wrong;
  }
}
