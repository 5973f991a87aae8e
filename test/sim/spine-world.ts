// SPDX-License-Identifier: Apache-2.0

import { BundlerProcessor } from '@clyra/bundler/bundler.processor';
import { digestOf } from '@clyra/core/canonical/digest';
import { encodeRecord } from '@clyra/core/canonical/record';
import { topicNames } from '@clyra/core/change/topics';
import { signRequest } from '@clyra/core/inspection/request-signature';
import { policyBytes } from '@clyra/core/policy/compile-policy';
import type { Policy } from '@clyra/core/policy/policy';
import { silentLogger } from '@clyra/core/ports/logger';
import { COMMAND_TYPE, pae } from '@clyra/core/signing/pae';
import { EnforcerProcessor } from '@clyra/enforcer/enforcer.processor';
import type { GatewayAnswer } from '@clyra/intake/gateway/gateway-request';
import { RequestHeaders } from '@clyra/intake/gateway/request-headers';
import type { Upstream } from '@clyra/intake/gateway/upstream';
import { IntakeProcessor } from '@clyra/intake/intake.processor';
import { SCRIPT_POLICY } from '@clyra/testing/fold-script';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { MemoryPositionStore } from '@clyra/testing/memory-position-store';
import { plainCodec } from '@clyra/testing/plain-codec';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import { SimLog, type SimLogClient } from '@clyra/testing/sim-log';
import { makeTestKey, makeTestTrust } from '@clyra/testing/test-keys';
import { Mortality, mortalBlobs, mortalClock } from './mortal.ts';

export const TENANT = 'acme';
export const topics = topicNames();

const POLICY: Policy = {
  ...SCRIPT_POLICY,
  rate_limits: [
    {
      id: 'refunds',
      routes: ['refunds.create'],
      key: 'actor',
      window_seconds: 300,
      max_actions: 5,
      amount: null,
      max_amount: {},
    },
  ],
};
const SECRET = Buffer.alloc(32, 7);
const FOREVER_MS = 600_000;

type Started<Processor> = { readonly processor: Processor; readonly client: SimLogClient; readonly life: Mortality };

export type Sent = { readonly answer: Promise<GatewayAnswer | 'lost'>; readonly key: string; readonly route: string };

/** Intake, enforcer and bundler in one thread on a simulated log, with an upstream that counts what reaches it. */
export class SpineWorld {
  readonly random: SeededRandom;
  readonly clock = new SimClock();
  readonly log: SimLog;
  readonly blobs = new MemoryBlobStore();
  readonly keys = {
    intake: makeTestKey('intake', ['intake']),
    enforcer: makeTestKey('enforcer', ['enforcer']),
    bundler: makeTestKey('bundler', ['bundler']),
    log: makeTestKey('log', ['log']),
    operator: makeTestKey('olga', ['operator']),
  };
  readonly trust = makeTestTrust(Object.values(this.keys));
  /** Event ids that reached the upstream, with their idempotency key. */
  readonly effects: { readonly eventId: string; readonly key: string }[] = [];
  intake: Started<IntakeProcessor> | undefined;
  enforcer: Started<EnforcerProcessor> | undefined;
  bundler: Started<BundlerProcessor> | undefined;
  readonly bugs: unknown[] = [];
  /** On the disk of the bundler and of the intake: it outlives them. */
  readonly positions = new MemoryPositionStore();
  #epoch = 0;
  #serial = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    const faults = { lostResponseShare: 0.05, lostRequestShare: 0.03, refusedShare: 0.01 };
    this.log = new SimLog({ clock: this.clock, random: this.random, faults });
    for (const topic of Object.values(topics)) this.log.createTopic(topic, 1);
  }

  async open(): Promise<this> {
    await Promise.all([this.startEnforcer(), this.startIntake()]);
    await this.startBundler();
    const policy = Buffer.from(policyBytes(POLICY));
    const command = {
      kind: 'tenant.opened',
      tenant: TENANT,
      subject: 'olga',
      replaces: null,
      issued_at: this.clock.nowMs(),
      expires_at: this.clock.nowMs() + FOREVER_MS,
      partition: 0,
      engine: 1,
      trust_root: this.trust.root.digest,
      policy: digestOf(policy),
    };
    const sig = Buffer.from(await this.keys.operator.sign(pae(COMMAND_TYPE, encodeRecord(command)))).toString('base64');
    const documents = [
      { name: 'policy', content: policy.toString('base64') },
      { name: 'trust_root', content: Buffer.from(this.trust.bytes).toString('base64') },
    ];
    const request = { command, signatures: [{ key_id: this.keys.operator.keyId, sig }], documents };
    const answer = await this.during(this.#intake().commands.submit(Buffer.from(JSON.stringify(request))));
    if (answer.status !== 200) throw new Error(`tenant not opened: ${answer.status} ${String(answer.body)}`);
    return this;
  }

  /** Lets virtual time pass until the work is done. */
  async during<Value>(work: Promise<Value>): Promise<Value> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    finished.catch(() => {});
    for (let turn = 0; turn < 2_000 && !done; turn += 1) await this.clock.advance(50);
    if (!done) throw new Error('the work did not end in 100 s of virtual time');
    return finished;
  }

  #intake(): IntakeProcessor {
    if (this.intake === undefined) throw new Error('no intake runs');
    return this.intake.processor;
  }

  async startIntake(): Promise<void> {
    const life = new Mortality();
    const client = this.log.connect();
    this.#epoch += 1;
    const processor = new IntakeProcessor({
      log: client,
      codec: plainCodec,
      blobs: mortalBlobs(this.blobs, life),
      signer: this.keys.intake,
      upstream: this.#upstream(life),
      clock: mortalClock(this.clock, life),
      random: this.random,
      logger: silentLogger,
      topics,
      credentials: new Map([['key-1', { id: 'key-1', tenant: TENANT, actors: ['*'], secret: SECRET }]]),
      intake: { instance: 'intake-1', epoch: this.#epoch },
      fingerprintSecret: Buffer.alloc(32, 9),
      trustRootDigests: new Set([this.trust.root.digest]),
      positions: this.positions,
      keeper: { windowMs: 5_000, windowCount: 40, tickAfterMs: 2_000 },
    });
    this.intake = { processor, client, life };
    await this.during(processor.start(FOREVER_MS));
  }

  async startEnforcer(): Promise<void> {
    const life = new Mortality();
    const client = this.log.connect();
    const processor = new EnforcerProcessor({
      log: client,
      codec: plainCodec,
      blobs: mortalBlobs(this.blobs, life),
      signer: this.keys.enforcer,
      clock: mortalClock(this.clock, life),
      logger: silentLogger,
      topics,
      publishDelayMs: 0,
      startDeadlineMs: FOREVER_MS,
      sendDeadlineMs: 1_000,
      onPartition: (_, reason) => {
        if (reason !== undefined && !reason.startsWith('CLY_ARTIFACT_MISSING')) this.bugs.push(reason);
      },
    });
    this.enforcer = { processor, client, life };
    await this.during(processor.start());
  }

  async startBundler(): Promise<void> {
    const life = new Mortality();
    const client = this.log.connect();
    const processor = new BundlerProcessor({
      log: client,
      codec: plainCodec,
      blobs: mortalBlobs(this.blobs, life),
      clock: mortalClock(this.clock, life),
      logger: silentLogger,
      topics,
      signers: { log: this.keys.log, bundler: this.keys.bundler },
      separation: 'none',
      producer: { name: 'clyra', version: '0.0.0' },
      onBug: (error) => this.bugs.push(error),
      positions: this.positions,
      limits: { positionMs: 500 },
    });
    this.bundler = { processor, client, life };
    await this.during(processor.start());
  }

  /** Ends a process between two of its effects; what it had under way may still arrive. */
  async crash(which: 'intake' | 'enforcer' | 'bundler'): Promise<void> {
    const victim = this[which];
    if (victim !== undefined) {
      victim.life.dead = true;
      victim.client.crash();
    }
    await this.clock.advance(this.random.nextInt(0, 2_000));
    if (which === 'intake') await this.startIntake();
    else if (which === 'enforcer') await this.startEnforcer();
    else await this.startBundler();
  }

  /** Sends a request; a caller whose intake dies never has an answer. */
  send(): Sent {
    this.#serial += 1;
    const route = this.random.pick([
      'contacts.sync',
      'contacts.sync',
      'contacts.sync',
      'refunds.create',
      'audiences.push',
      'nowhere',
    ]);
    const key = this.random.chance(0.3) ? `key-${this.random.nextInt(0, 5)}` : `unique-${this.#serial}`;
    const body = this.random.chance(0.1) ? Buffer.from('{"a":1,"a":2}') : Buffer.from(`{"key":"${key}"}`);
    const target = `/${route}`;
    const nonce = `nonce-${String(this.#serial).padStart(16, '0')}`;
    const signed = signRequest({
      keyId: 'key-1',
      secret: SECRET,
      method: 'POST',
      target,
      tenant: TENANT,
      actor: 'sync-bot',
      nowMs: this.clock.nowMs(),
      nonce,
      idempotencyKey: key,
      body,
    });
    const headers = Object.entries({ host: 'gateway', 'content-type': 'application/json', ...signed }).flat();
    const request = {
      method: 'POST',
      target,
      headers: new RequestHeaders(headers),
      readBody: () => Promise.resolve({ bytes: body, digest: digestOf(body), size: body.length, tooLarge: false }),
      streamBody: async function* () {
        yield body;
      },
      client: { isGone: () => false, onGone: () => {} },
    };
    const intake = this.intake;
    const answered = this.#intake().gateway.handle(request);
    const lost = new Promise<'lost'>((resolve) => {
      const look = (): void => {
        if (intake?.life.dead === true) resolve('lost');
        else this.clock.after(500, look);
      };
      look();
    });
    return { answer: Promise.race([answered, lost]), key, route };
  }

  #upstream(life: Mortality): Upstream {
    return {
      has: () => true,
      forward: (_, request) =>
        life.guard(async () => {
          const header = (name: string): string =>
            request.headers[request.headers.findIndex((one) => one.toLowerCase() === name) + 1] ?? '';
          this.effects.push({
            eventId: header('clyra-event-id'),
            key: (JSON.parse(Buffer.from(request.body as Uint8Array).toString('utf8')) as { key: string }).key,
          });
          await new Promise<void>((resolve) => {
            this.clock.after(this.random.nextInt(1, 300), resolve);
          });
          return { kind: 'answered', status: 201, headers: {}, body: new Uint8Array() };
        }),
    };
  }
}
