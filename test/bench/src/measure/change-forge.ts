// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord, parseRecord } from '@clyra/core/canonical/record';
import { topicNames } from '@clyra/core/change/topics';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { OutgoingRecord } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { blockToJson, type SignatureBlock, signBatch } from '@clyra/core/signing/batch-signature';
import { CHANGE_TYPE } from '@clyra/core/signing/pae';
import type { World } from '../world/world.ts';
import { StageReader } from './read-stages.ts';

/** An intake that is nobody else's; the world it writes into is thrown away. */
const INTAKE = { instance: 'bench-decisions', epoch: 1 };
const LOOK_BACK = 100;

/** Makes changes as intake makes them, without HTTP and inspection: copies of real requests under new ids. */
export class ChangeForge {
  readonly #codec: EnvelopeCodec;
  readonly #signer: Signer;
  readonly #models: ReadonlyMap<number, JsonObject>;

  private constructor(codec: EnvelopeCodec, signer: Signer, models: ReadonlyMap<number, JsonObject>) {
    this.#codec = codec;
    this.#signer = signer;
    this.#models = models;
  }

  /** Needs a request among the newest records of each partition. */
  static async open(world: World, tools: { codec: EnvelopeCodec; signer: Signer }): Promise<ChangeForge> {
    const reader = new StageReader(world);
    const topic = topicNames(world.settings.topic_prefix).changes;
    const { changes: ends } = await reader.mark();
    const from = ends.map((end) => Math.max(0, end - LOOK_BACK));
    const models = new Map<number, JsonObject>();
    for (const record of await reader.read(topic, from)) {
      const envelope = await tools.codec.decode('ChangeEnvelope', record.value ?? new Uint8Array());
      if (envelope.kind === 'change.requested') models.set(record.partition, parseRecord(envelope.body));
    }
    await reader.close();
    return new ChangeForge(tools.codec, tools.signer, models);
  }

  get partitions(): readonly number[] {
    return [...this.#models.keys()];
  }

  /** One send: its changes share one signature. */
  async make(partition: number, count: number): Promise<OutgoingRecord[]> {
    const model = this.#models.get(partition);
    if (model === undefined) throw new Error(`no request was found in partition ${partition}`);
    const bodies = Array.from({ length: count }, () => freshCopy(model));
    const encoded = bodies.map((body) => encodeRecord(body));
    const digests = encoded.map((bytes) => digestOf(bytes));
    const blocks = await signBatch(this.#signer, CHANGE_TYPE, digests);
    return bodies.map((body, index) => ({
      key: Buffer.from(body['tenant'] as string, 'utf8'),
      value: this.#codec.encode('ChangeEnvelope', {
        body: encoded[index] as Uint8Array,
        signature: encodeRecord(blockToJson(blocks[index] as SignatureBlock)),
        tenant: body['tenant'] as string,
        kind: body['kind'] as string,
        event_id: body['event_id'] as string,
      }),
    }));
  }
}

function freshCopy(model: JsonObject): JsonObject {
  const unique = randomUUID();
  const facts = model['facts'] as JsonObject;
  return {
    ...model,
    event_id: unique,
    intake: INTAKE,
    intake_at: Date.now(),
    facts: {
      ...facts,
      nonce_digest: digestOf(`nonce ${unique}`),
      payload_digest: digestOf(`payload ${unique}`),
      canonical_digest: digestOf(`canonical ${unique}`),
      execution_token_hash: digestOf(`token ${unique}`),
      idempotency: { key_digest: digestOf(`key ${unique}`), fingerprint: digestOf(`print ${unique}`) },
      velocity: (facts['velocity'] as JsonObject[]).map((entry) => ({
        ...entry,
        key_digest: digestOf(`${String(entry['rule'])} ${entry['rule'] === 'by-contact' ? unique : someActor()}`),
      })),
    },
  };
}

const ACTOR_COUNT = 64;

function someActor(): string {
  return String(Math.floor(Math.random() * ACTOR_COUNT));
}
