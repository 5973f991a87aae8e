// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject, JsonValue } from '@clyra/core/canonical/json-value';
import { encodeRecord, parseRecord } from '@clyra/core/canonical/record';
import { topicNames } from '@clyra/core/change/topics';
import type { Artifacts } from '@clyra/core/enforcement/artifacts';
import { type RequestToSign, signRequest } from '@clyra/core/inspection/request-signature';
import { compilePolicy } from '@clyra/core/policy/compile-policy';
import { loadPolicy } from '@clyra/core/policy/load-policy';
import type { CompiledPolicy, Policy } from '@clyra/core/policy/policy';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { silentLogger } from '@clyra/core/ports/logger';
import { COMMAND_TYPE, pae } from '@clyra/core/signing/pae';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { plainCodec } from '@clyra/testing/plain-codec';
import { realClock } from '@clyra/testing/real-clock';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import { SimLog } from '@clyra/testing/sim-log';
import { makeTestKey, makeTestTrust, type TestKey } from '@clyra/testing/test-keys';
import type { GatewayAnswer, GatewayRequest } from '../gateway/gateway-request.ts';
import { RequestHeaders } from '../gateway/request-headers.ts';
import type { Upstream, UpstreamRequest, UpstreamResult } from '../gateway/upstream.ts';
import { type IntakeOptions, IntakeProcessor } from '../intake.processor.ts';
import { FakeEnforcer } from './fake-enforcer.ts';

export const TENANT = 'acme';
export const SECRET: Uint8Array = Buffer.from('0123456789abcdef0123456789abcdef');
export const KEYS: Readonly<
  Record<'intake' | 'enforcer' | 'operator' | 'second' | 'author' | 'approver' | 'door', TestKey>
> = {
  intake: makeTestKey('intake-1', ['intake']),
  enforcer: makeTestKey('enforcer-1', ['enforcer']),
  operator: makeTestKey('olga', ['operator']),
  second: makeTestKey('omar', ['operator']),
  author: makeTestKey('alice', ['policy_author']),
  approver: makeTestKey('bob', ['policy_approver']),
  door: makeTestKey('human-door', ['approver']),
};
const TRUST = makeTestTrust(Object.values(KEYS));

export const POLICY_TEXT = `
name: payments
schemas:
  refund:
    type: object
    additionalProperties: false
    required: [amount, account]
    properties:
      amount: { type: integer, minimum: 1, maximum: 1000 }
      account: { type: string, maxLength: 40 }
      tenant: { type: string }
routes:
  - { id: refunds.create, method: POST, path: "/v1/refunds/{id}", upstream: crm, schema: refund }
  - { id: notes.put, method: PUT, path: /v1/notes, upstream: crm }
  - { id: notes.get, method: GET, path: /v1/notes, upstream: crm }
  - { id: audiences.push, method: POST, path: /v1/audiences, upstream: crm }
  - { id: watched.post, method: POST, path: /v1/watched, upstream: crm, mode: review, schema: refund }
  - { id: nowhere.post, method: POST, path: /v1/nowhere, upstream: nowhere }
idempotency:
  - { routes: [refunds.create], required: true, ttl_seconds: 3600 }
rate_limits:
  - { id: notes, routes: [notes.put], key: actor, window_seconds: 60, max_actions: 3 }
tenant_fences: { body_tenant: /tenant }
approvals:
  - { id: push, routes: [audiences.push] }
`;

/** Who signs a command, and its members. */
export type Order = { readonly signers: readonly TestKey[]; readonly [member: string]: JsonValue | readonly TestKey[] };

export type Sent = Partial<RequestToSign> & { readonly contentType?: string; readonly extra?: readonly string[] };

/** Intake against the simulated log with the real fold as its enforcer; time moves only when a test says so. */
export class IntakeWorld {
  readonly random: SeededRandom;
  readonly clock: Clock;
  readonly log: SimLog;
  readonly blobs = new MemoryBlobStore();
  readonly topics = topicNames();
  readonly enforcer: FakeEnforcer;
  readonly policies = new Map<string, Policy>();
  readonly policy: CompiledPolicy;
  /** What the upstream was asked, and what it will say; a test replaces `answer`. */
  readonly forwarded: UpstreamRequest[] = [];
  answer: (request: UpstreamRequest) => UpstreamResult | Promise<UpstreamResult> = () => okResult();
  readonly #simulated: SimClock | undefined;
  #serial = 0;

  /** `realTime` is for tests over sockets, which no virtual clock can follow. */
  constructor(options: { readonly seed?: number; readonly realTime?: boolean; readonly policyText?: string } = {}) {
    this.#simulated = options.realTime === true ? undefined : new SimClock();
    this.clock = this.#simulated ?? realClock;
    this.random = new SeededRandom(options.seed ?? 1);
    this.log = new SimLog({ clock: this.clock, random: this.random });
    for (const topic of [this.topics.changes, this.topics.receipts, this.topics.observations])
      this.log.createTopic(topic, 2);
    this.log.createTopic(this.topics.edge, 1);
    const artifacts: Artifacts = {
      policy: (digest) => this.policies.get(digest),
      trustRoot: (digest) => (digest === TRUST.root.digest ? TRUST.root : undefined),
    };
    this.enforcer = new FakeEnforcer({
      log: this.log,
      topics: this.topics,
      artifacts,
      signer: KEYS.enforcer,
      clock: this.clock,
    });
    this.policy = this.addPolicy(options.policyText ?? POLICY_TEXT);
  }

  addPolicy(text: string): CompiledPolicy {
    const compiled = compilePolicy(text);
    this.policies.set(compiled.digest, loadPolicy(compiled.bytes, compiled.digest).policy);
    return compiled;
  }

  upstream(): Upstream {
    return {
      has: (name) => name === 'crm',
      forward: async (_name, request) => {
        this.forwarded.push(request);
        return this.answer(request);
      },
    };
  }

  async startIntake(options: Partial<IntakeOptions> = {}): Promise<IntakeProcessor> {
    const credential = { id: 'key-1', tenant: TENANT, actors: ['bot', 'desk'], secret: SECRET };
    const intake = new IntakeProcessor({
      log: this.log.connect(),
      codec: plainCodec,
      blobs: this.blobs,
      signer: KEYS.intake,
      upstream: this.upstream(),
      clock: this.clock,
      random: this.random.fork(),
      logger: silentLogger,
      topics: this.topics,
      credentials: new Map([['key-1', credential]]),
      intake: { instance: 'intake-1', epoch: 1 },
      fingerprintSecret: SECRET,
      ...options,
    });
    await this.during(intake.start(10_000), 15_000);
    return intake;
  }

  /** A running intake and an open tenant with the policy in force. */
  async open(options: Partial<IntakeOptions> = {}): Promise<IntakeProcessor> {
    const intake = await this.startIntake(options);
    await this.during(this.enforcer.start(), 100);
    await this.openTenant(intake, TENANT, 1);
    return intake;
  }

  async openTenant(intake: IntakeProcessor, tenant: string, partition: number): Promise<void> {
    const answer = await this.command(intake, 'tenant.opened', {
      ...{ signers: [KEYS.operator], tenant, partition, engine: 1 },
      ...{ trust_root: TRUST.root.digest, policy: this.policy.digest },
    });
    if (answer.status !== 200) throw new Error(`the tenant was not opened: ${String(answer.body)}`);
  }

  /** Lets time pass until the promise settles, for at most `limitMs`. */
  async during<Value>(promise: Promise<Value>, limitMs = 10_000): Promise<Value> {
    if (this.#simulated === undefined) return promise;
    let settled = false;
    const end = (): void => {
      settled = true;
    };
    promise.then(end, end);
    for (let passedMs = 0; passedMs < limitMs; passedMs += 5) {
      await this.#simulated.settle();
      if (settled) return promise;
      await this.#simulated.advance(5);
    }
    throw new Error(`not settled after ${limitMs} ms of virtual time`);
  }

  /** Lets this much time pass. */
  async pass(durationMs: number): Promise<void> {
    await (this.#simulated === undefined ? sleep(this.clock, durationMs) : this.#simulated.advance(durationMs));
  }

  command(intake: IntakeProcessor, kind: string, order: Order): Promise<GatewayAnswer> {
    return this.during(this.submit(intake, kind, order));
  }

  async submit(intake: IntakeProcessor, kind: string, { signers, ...members }: Order): Promise<GatewayAnswer> {
    const nowMs = this.clock.nowMs();
    const subject = signers[0]?.subject ?? '';
    const command = {
      kind,
      tenant: TENANT,
      issued_at: nowMs,
      expires_at: nowMs + 600_000,
      subject,
      replaces: null,
      ...members,
    };
    const signed = pae(COMMAND_TYPE, encodeRecord(command));
    const signatures = await Promise.all(
      signers.map(async (key) => ({ key_id: key.keyId, sig: Buffer.from(await key.sign(signed)).toString('base64') })),
    );
    const policy = [...this.policies.keys()].includes(String(members['policy']))
      ? this.documentOf(String(members['policy']))
      : [];
    const documents = [{ name: 'trust_root', content: Buffer.from(TRUST.bytes).toString('base64') }, ...policy];
    return intake.commands.submit(Buffer.from(JSON.stringify({ command, signatures, documents })));
  }

  documentOf(digest: string): { name: string; content: string }[] {
    const policy = this.policies.get(digest);
    if (policy === undefined) return [];
    const compiled = compilePolicy(JSON.stringify(policy));
    return [{ name: 'policy', content: Buffer.from(compiled.bytes).toString('base64') }];
  }

  /** A signed request; `extra` headers come last, as raw name and value pairs. */
  request(sent: Sent = {}): GatewayRequest & { leave(): void } {
    this.#serial += 1;
    const body = sent.body ?? '{"account":"a-1","amount":5}';
    const toSign: RequestToSign = {
      keyId: 'key-1',
      secret: SECRET,
      method: 'POST',
      target: '/v1/refunds/r-1',
      tenant: TENANT,
      actor: 'bot',
      nowMs: this.clock.nowMs(),
      nonce: `nonce-${String(this.#serial).padStart(16, '0')}`,
      idempotencyKey: `key-${this.#serial}`,
      body,
      ...sent,
    };
    const headers = Object.entries({
      host: 'gateway',
      'content-type': sent.contentType ?? 'application/json',
      ...signRequest(toSign),
    }).flat();
    const bytes = Buffer.from(body);
    const tasks: (() => void)[] = [];
    let gone = false;
    return {
      method: toSign.method,
      target: toSign.target,
      headers: new RequestHeaders([...headers, ...(sent.extra ?? [])]),
      readBody: async (bytesMax) =>
        bytes.length > bytesMax
          ? { bytes: new Uint8Array(), digest: digestOf(bytes), size: bytes.length, tooLarge: true }
          : { bytes, digest: digestOf(bytes), size: bytes.length, tooLarge: false },
      streamBody: async function* () {
        yield bytes;
      },
      client: { isGone: () => gone, onGone: (task) => tasks.push(task) },
      leave: () => {
        gone = true;
        for (const task of tasks) task();
      },
    };
  }

  changesOf(kind: string): JsonObject[] {
    return [0, 1].flatMap((partition) =>
      this.log.recordsOf(this.topics.changes, partition).flatMap((record) => {
        const envelope = plainCodec.decode('ChangeEnvelope', record.value as Uint8Array) as Envelopes['ChangeEnvelope'];
        return envelope.kind === kind ? [parseRecord(envelope.body)] : [];
      }),
    );
  }

  edgeCounts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const record of this.log.recordsOf(this.topics.edge, 0)) {
      const { body } = plainCodec.decode('EdgeEnvelope', record.value as Uint8Array) as Envelopes['EdgeEnvelope'];
      const { code, count } = parseRecord(body) as { code: string; count: number };
      counts[code] = (counts[code] ?? 0) + count;
    }
    return counts;
  }
}

export function okResult(): UpstreamResult {
  return { kind: 'answered', status: 201, headers: { 'content-type': 'text/plain' }, body: Buffer.from('made') };
}

export function problemOf(answer: GatewayAnswer): JsonObject {
  return JSON.parse(String(answer.body)) as JsonObject;
}
