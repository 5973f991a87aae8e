// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord, parseRecord } from '@clyra/core/canonical/record';
import type { Facts } from '@clyra/core/change/change-body';
import type { Artifacts } from '@clyra/core/enforcement/artifacts';
import { type Folded, PartitionFold } from '@clyra/core/enforcement/partition-fold';
import { readChange } from '@clyra/core/enforcement/read-change';
import { policyBytes } from '@clyra/core/policy/compile-policy';
import { EMPTY_POLICY, type Policy } from '@clyra/core/policy/policy';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { blockToJson, signBatch } from '@clyra/core/signing/batch-signature';
import { CHANGE_TYPE, COMMAND_TYPE, pae } from '@clyra/core/signing/pae';
import { makeTestKey, makeTestTrust, type TestKey, type TestTrust } from './test-keys.ts';

export const TENANT = 'acme';
export const STREAM = '00112233445566778899aabbccddeeff';
export const START_MS = 1_750_000_000_000;

type ScriptRole = 'intake' | 'enforcer' | 'recorder' | 'log' | 'bundler' | 'attestor' | 'kms';
type ScriptPerson = 'operator' | 'second' | 'author' | 'approver' | 'human';

export const SCRIPT_KEYS: Readonly<Record<ScriptRole | ScriptPerson, TestKey>> = {
  recorder: makeTestKey('recorder-1', ['recorder']),
  log: makeTestKey('log-1', ['log']),
  bundler: makeTestKey('bundler-1', ['bundler']),
  attestor: makeTestKey('attestor-1', ['attestor']),
  enforcer: makeTestKey('enforcer-1', ['enforcer']),
  intake: makeTestKey('intake-1', ['intake']),
  kms: makeTestKey('kms-1', ['delegator', 'intake', 'enforcer']),
  operator: makeTestKey('olga', ['operator']),
  second: makeTestKey('omar', ['operator']),
  author: makeTestKey('alice', ['policy_author']),
  approver: makeTestKey('bob', ['policy_approver']),
  /** The human door: it signs what people approve there. */
  human: makeTestKey('human-door', ['approver']),
};

export const SCRIPT_TRUST: TestTrust = makeTestTrust(Object.values(SCRIPT_KEYS));

export const SCRIPT_POLICY: Policy = {
  ...EMPTY_POLICY,
  name: 'script',
  routes: [
    route('contacts.sync', { schema: 'contact', effects: true }),
    route('audiences.push', { schema: null, effects: false }),
    route('refunds.create', { schema: null, effects: false }),
  ],
  schemas: { contact: { type: 'object' } },
  idempotency: [{ routes: ['contacts.sync'], required: true, ttl_seconds: 3_600, mode: 'single_use' }],
  rate_limits: [
    {
      id: 'refunds',
      routes: ['refunds.create'],
      key: 'actor',
      window_seconds: 300,
      max_actions: 3,
      amount: null,
      max_amount: {},
    },
  ],
  approvals: [
    {
      id: 'audiences',
      routes: ['audiences.push'],
      quorum: 1,
      grade_min: 1,
      mfa: false,
      idp_domains: [],
      max_age_seconds: 900,
      login_age_seconds: 900,
      amount: null,
      steps: [],
      only_above: {},
    },
  ],
  guarded: [{ source_id: 'crm', relations: ['public.contacts'] }],
};

function route(id: string, options: { schema: string | null; effects: boolean }): Policy['routes'][number] {
  return {
    id,
    method: 'POST',
    path: `/${id}`,
    upstream: 'crm',
    mode: 'gate',
    schema: options.schema,
    effects: options.effects
      ? { source_id: 'crm', relations: ['public.contacts'], operations: ['insert'], rows_max: 1, ttl_seconds: 60 }
      : null,
  };
}

export const POLICY_BYTES: Uint8Array = policyBytes(SCRIPT_POLICY);
export const POLICY_DIGEST = digestOf(POLICY_BYTES);

export type Step = { readonly folded: Folded; readonly receipt: JsonObject };

/** Folds one partition, a record at a time, with a clock that only moves when the script says so. */
export class FoldScript {
  readonly fold: PartitionFold;
  /** Every envelope that was appended, in offset order. */
  readonly envelopes: Envelopes['ChangeEnvelope'][] = [];
  readonly steps: Step[] = [];
  nowMs = START_MS;
  #offset = 0;
  #serial = 0;

  constructor(policy: Policy = SCRIPT_POLICY) {
    const artifacts: Artifacts = {
      policy: (digest) => (digest === POLICY_DIGEST ? policy : undefined),
      trustRoot: (digest) => (digest === SCRIPT_TRUST.root.digest ? SCRIPT_TRUST.root : undefined),
    };
    this.fold = new PartitionFold(0, artifacts);
  }

  /** Opens the stream and the tenant, with the policy in force. */
  async opened(): Promise<this> {
    const stream = { stream_id: STREAM, partition: 0, partition_count: 1, previous_stream: null };
    await this.append(this.body('stream.opened', { ...stream, tenant: '_partition' }));
    const command = { partition: 0, engine: 1, trust_root: SCRIPT_TRUST.root.digest, policy: POLICY_DIGEST };
    await this.command('tenant.opened', command, [SCRIPT_KEYS.operator]);
    return this;
  }

  eventId(): string {
    this.#serial += 1;
    return `00000000-0000-7000-8000-${this.#serial.toString(16).padStart(12, '0')}`;
  }

  body(kind: string, members: JsonObject): JsonObject {
    const intake = { instance: 'intake-1', epoch: 1 };
    return { v: 0, kind, tenant: TENANT, event_id: this.eventId(), intake, intake_at: this.nowMs, ...members };
  }

  request(facts: Partial<Facts> = {}, members: JsonObject = {}): Promise<Step> {
    return this.append(this.body('change.requested', { facts: this.facts(facts), ...members }));
  }

  facts(overrides: Partial<Facts> = {}): JsonObject {
    const unique = String(this.#serial);
    const facts: Facts = {
      route: 'contacts.sync',
      method: 'POST',
      target_digest: digestOf('/contacts'),
      principal: 'key-1',
      tenants: [
        { from: 'credential', value: TENANT },
        { from: 'header', value: TENANT },
      ],
      actors: [
        { from: 'credential', value: '*' },
        { from: 'header', value: 'sync-bot' },
      ],
      nonce_digest: digestOf(`nonce ${unique}`),
      content: 'ok',
      payload_digest: digestOf(`payload ${unique}`),
      payload_size: 10,
      canonical_digest: digestOf(`canonical ${unique}`),
      schema: { id: 'contact', verdict: 'valid', errors: [] },
      idempotency: { key_digest: digestOf(`key ${unique}`), fingerprint: digestOf(`print ${unique}`) },
      velocity: [],
      execution_token_hash: digestOf(`token ${unique}`),
      inspected_under: { policy_digest: POLICY_DIGEST, inspector: 'clyra-inspector/0' },
      ...overrides,
    };
    return facts as unknown as JsonObject;
  }

  outcome(of: string, outcome: string): Promise<Step> {
    return this.append(this.body('change.outcome', { of, outcome }));
  }

  async command(kind: string, members: JsonObject, signers: readonly TestKey[]): Promise<Step> {
    return this.append(await this.commandBody(kind, members, signers));
  }

  /** The change that carries a signed command, not appended yet. */
  commandBody(kind: string, members: JsonObject, signers: readonly TestKey[]): Promise<JsonObject> {
    const command = { kind, tenant: TENANT, issued_at: this.nowMs, expires_at: this.nowMs + 600_000, ...members };
    return this.signedBody(kind, { subject: signers[0]?.subject ?? '', replaces: null, ...command }, signers);
  }

  async signedCommand(kind: string, command: JsonObject, signers: readonly TestKey[]): Promise<Step> {
    return this.append(await this.signedBody(kind, command, signers));
  }

  async signedBody(kind: string, command: JsonObject, signers: readonly TestKey[]): Promise<JsonObject> {
    const payload = pae(COMMAND_TYPE, encodeRecord(command));
    const signatures: JsonObject[] = [];
    for (const signer of signers) {
      signatures.push({ key_id: signer.keyId, sig: Buffer.from(await signer.sign(payload)).toString('base64') });
    }
    return this.body(kind, { command, signatures });
  }

  /** Appends a body as intake would: signed, with its routing copies. */
  async append(body: JsonObject, signer: TestKey = SCRIPT_KEYS.intake): Promise<Step> {
    const bytes = encodeRecord(body);
    const [block] = await signBatch(signer, CHANGE_TYPE, [digestOf(bytes)]);
    if (block === undefined) throw new Error('a send of one body has one block');
    return this.appendEnvelope({
      body: bytes,
      signature: encodeRecord(blockToJson(block)),
      tenant: body['tenant'] as string,
      kind: body['kind'] as string,
      event_id: body['event_id'] as string,
    });
  }

  appendEnvelope(envelope: Envelopes['ChangeEnvelope']): Step {
    this.envelopes.push(envelope);
    const folded = this.fold.fold({
      offset: this.#offset,
      appendTimeMs: this.nowMs,
      read: readChange(envelope),
      raw: envelope.body,
    });
    this.#offset += 1;
    if (folded === undefined) throw new Error('a script folds from the start, so every record has a body');
    const step = { folded, receipt: parseRecord(folded.bytes) };
    this.steps.push(step);
    return step;
  }
}

export function codesOf(step: Step): string[] {
  return (step.receipt['reasons'] as { code: string }[]).map((reason) => reason.code);
}

/** A signature by a key that is not in any trust root. */
export function strangerKey(): TestKey {
  return makeTestKey('stranger', ['intake']);
}
