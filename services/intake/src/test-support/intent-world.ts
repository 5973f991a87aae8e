// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { repliesTopic } from '@clyra/core/change/topics';
import { INTENT_HEADERS } from '@clyra/core/inspection/intent';
import { signRequest } from '@clyra/core/inspection/request-signature';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import type { RecordHeader } from '@clyra/core/ports/record-log';
import { MemoryPositionStore } from '@clyra/testing/memory-position-store';
import { plainCodec } from '@clyra/testing/plain-codec';
import { schemaFault } from '@clyra/testing/schema-documents';
import type { SimLogClient } from '@clyra/testing/sim-log';
import type { Upstream } from '../gateway/upstream.ts';
import type { IntakeOptions, IntakeProcessor } from '../intake.processor.ts';
import { IntakeWorld, SECRET, TENANT } from './intake-world.ts';

const replyFault = schemaFault('intents/reply');

export type Intent = {
  readonly id: string;
  readonly body?: string;
  readonly target?: string;
  readonly method?: string;
  readonly tenant?: string;
  readonly actor?: string;
  readonly key?: string;
  readonly nowMs?: number;
  readonly expiresAtMs?: number;
  readonly idempotencyKey?: string;
  readonly secret?: Uint8Array;
};

export type SentRecord = {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
};

/** A running door on the simulated log, whose intake can be killed between any two effects and started again. */
export class IntentWorld {
  readonly world: IntakeWorld;
  readonly positions = new MemoryPositionStore();
  #serial = 0;
  #epoch = 0;
  #process: { readonly client: SimLogClient; isAlive: boolean } | undefined;

  constructor(seed = 1) {
    this.world = new IntakeWorld({ seed });
    this.world.log.createTopic(this.world.topics.intents, 2);
    this.world.log.createTopic(this.world.topics.quarantine, 1);
    this.world.log.createTopic(repliesTopic(this.world.topics, TENANT), 1);
  }

  /** The first start opens the tenant too. */
  start(options: Partial<IntakeOptions> = {}): Promise<IntakeProcessor> {
    this.#epoch += 1;
    const process = { client: this.world.log.connect(), isAlive: true };
    this.#process = process;
    const whole: Partial<IntakeOptions> = {
      log: process.client,
      clock: {
        nowMs: () => this.world.clock.nowMs(),
        after: (delayMs, task) => this.world.clock.after(delayMs, () => process.isAlive && task()),
      },
      positions: this.positions,
      intake: { instance: 'intake-1', epoch: this.#epoch },
      upstream: whileAlive(this.world.upstream(), process),
      intents: {},
      ...options,
    };
    return this.#epoch === 1 ? this.world.open(whole) : this.world.startIntake(whole);
  }

  kill(): void {
    if (this.#process === undefined) return;
    this.#process.isAlive = false;
    this.#process.client.crash();
  }

  record(intent: Intent): SentRecord {
    this.#serial += 1;
    const body = intent.body ?? '{"account":"a-1","amount":5}';
    const seal = {
      correlationId: intent.id,
      expiresAt: intent.expiresAtMs === undefined ? '' : String(intent.expiresAtMs),
      keyDigest: intent.key === undefined ? '' : digestOf(intent.key),
    };
    const request = {
      keyId: 'key-1',
      secret: intent.secret ?? SECRET,
      method: intent.method ?? 'POST',
      target: intent.target ?? '/v1/refunds/r-1',
      tenant: intent.tenant ?? TENANT,
      actor: intent.actor ?? 'bot',
      nowMs: intent.nowMs ?? this.world.clock.nowMs(),
      nonce: `intent-${String(this.#serial).padStart(16, '0')}`,
      idempotencyKey: intent.idempotencyKey ?? `key-${intent.id}`,
      body,
      intent: seal,
    };
    const named = {
      'content-type': 'application/json',
      [INTENT_HEADERS.method]: request.method,
      [INTENT_HEADERS.target]: request.target,
      [INTENT_HEADERS.correlationId]: seal.correlationId,
      ...(seal.expiresAt === '' ? {} : { [INTENT_HEADERS.expiresAt]: seal.expiresAt }),
      ...signRequest(request),
    };
    return {
      key: intent.key === undefined ? null : Buffer.from(intent.key),
      value: body === '' ? null : Buffer.from(body),
      headers: Object.entries(named).map(([name, value]) => [name, Buffer.from(value)] as const),
    };
  }

  /** Returns the offset. */
  send(intent: Intent, partition = 0): number {
    return this.put(this.record(intent), partition);
  }

  put(record: SentRecord, partition = 0): number {
    return this.world.log.put(this.world.topics.intents, partition, [record]);
  }

  replies(tenant = TENANT): JsonObject[] {
    const records = this.world.log.recordsOf(repliesTopic(this.world.topics, tenant), 0);
    return records.map(({ key, value }) => {
      const reply = JSON.parse(textOf(value)) as JsonObject;
      if (textOf(key) !== reply['correlation_id']) throw new Error('a reply is not keyed by its correlation id');
      const fault = replyFault(reply);
      if (fault !== undefined) throw new Error(`a reply is none by its schema: ${fault}`);
      return reply;
    });
  }

  repliesTo(id: string): JsonObject[] {
    return this.replies().filter((reply) => reply['correlation_id'] === id);
  }

  specimens(): { readonly reason: string; readonly offset: number; readonly text: string }[] {
    return this.world.log.recordsOf(this.world.topics.quarantine, 0).map(({ value }) => {
      const found = plainCodec.decode('QuarantineEnvelope', value as Uint8Array) as Envelopes['QuarantineEnvelope'];
      return { reason: found.reason, offset: found.offset, text: textOf(found.record) };
    });
  }

  savedOffsets(): readonly number[] {
    const text = this.positions.texts.get('intake-1.intents');
    return text === undefined ? [] : (JSON.parse(text) as { offsets: number[] }).offsets;
  }
}

/** What a killed process was about to ask of its upstream is never asked. */
function whileAlive(upstream: Upstream, process: { readonly isAlive: boolean }): Upstream {
  return {
    has: (name) => upstream.has(name),
    forward: (name, request) => (process.isAlive ? upstream.forward(name, request) : new Promise(() => {})),
  };
}

/** The bytes of the receipt in a reply, and its signature block. */
export function receiptOfReply(reply: JsonObject | undefined): {
  readonly bytes: Buffer;
  readonly signature: JsonObject;
} {
  const receipt = reply?.['receipt'] as { readonly body: string; readonly signature: JsonObject } | undefined;
  if (receipt === undefined) throw new Error('the reply has no receipt');
  return { bytes: Buffer.from(receipt.body, 'base64'), signature: receipt.signature };
}

export function codeOfReply(reply: JsonObject | undefined): unknown {
  return (reply?.['problem'] as JsonObject | undefined)?.['code'];
}

function textOf(bytes: Uint8Array | null): string {
  return Buffer.from(bytes ?? []).toString('utf8');
}
