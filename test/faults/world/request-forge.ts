// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import type { OutgoingRecord } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { blockToJson, type SignatureBlock, signBatch } from '@clyra/core/signing/batch-signature';
import { CHANGE_TYPE } from '@clyra/core/signing/pae';
import type { FaultWorld } from './fault-world.ts';
import { readLogFacts } from './log-facts.ts';
import { WORLD_PARTITION } from './world-policy.ts';

/** An intake that is nobody else's. */
const INTAKE = { instance: 'forge', epoch: 1 };
const ACTOR_COUNT = 64;

/** Signed changes for the log itself, past the gateway: copies of one real request under new ids and keys. */
export class RequestForge {
  readonly partition = WORLD_PARTITION;
  readonly #world: FaultWorld;
  readonly #signer: Signer;
  readonly #model: JsonObject;
  #count = 0;

  private constructor(world: FaultWorld, signer: Signer, model: JsonObject) {
    this.#world = world;
    this.#signer = signer;
    this.#model = model;
  }

  /** Needs one request in the log. `signer` holds intake's key. */
  static async open(world: FaultWorld, signer: Signer): Promise<RequestForge> {
    const { changes } = await readLogFacts(world);
    const model = changes.findLast(({ body }) => body['kind'] === 'change.requested')?.body;
    if (model === undefined) throw new Error('no request is in the log');
    return new RequestForge(world, signer, model);
  }

  /** One send: its changes share one signature. */
  async make(count: number): Promise<OutgoingRecord[]> {
    const bodies = Array.from({ length: count }, () => this.#freshCopy());
    const encoded = bodies.map((body) => encodeRecord(body));
    const digests = encoded.map((bytes) => digestOf(bytes));
    const blocks = await signBatch(this.#signer, CHANGE_TYPE, digests);
    return bodies.map((body, index) => ({
      key: Buffer.from(body['tenant'] as string, 'utf8'),
      value: this.#world.codec.encode('ChangeEnvelope', {
        body: encoded[index] as Uint8Array,
        signature: encodeRecord(blockToJson(blocks[index] as SignatureBlock)),
        tenant: body['tenant'] as string,
        kind: body['kind'] as string,
        event_id: body['event_id'] as string,
      }),
    }));
  }

  #freshCopy(): JsonObject {
    const unique = randomUUID();
    const facts = this.#model['facts'] as JsonObject;
    const actor = `${this.#count++ % ACTOR_COUNT}`;
    return {
      ...this.#model,
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
        velocity: (facts['velocity'] as JsonObject[]).map((entry) => ({ ...entry, key_digest: digestOf(actor) })),
      },
    };
  }
}
