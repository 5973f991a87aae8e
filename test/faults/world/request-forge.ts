// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { OutgoingRecord } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { copyOfRequest, sealChanges } from '@clyra/testing/forge-changes';
import type { FaultWorld } from './fault-world.ts';
import { readLogFacts } from './log-facts.ts';
import { WORLD_PARTITION } from './world-policy.ts';

/** An intake that is nobody else's. */
const INSTANCE = 'forge';
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
    const countedAs = (): string => `${this.#count % ACTOR_COUNT}`;
    const copies = Array.from({ length: count }, () => {
      this.#count += 1;
      return copyOfRequest(this.#model, { instance: INSTANCE, countedAs });
    });
    return sealChanges(copies, { codec: this.#world.codec, signer: this.#signer });
  }
}
