// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { topicNames } from '@clyra/core/change/topics';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { OutgoingRecord } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { copyOfRequest, sealChanges } from '@clyra/testing/forge-changes';
import type { World } from '../world/world.ts';
import { StageReader } from './read-stages.ts';

/** An intake that is nobody else's; the world it writes into is thrown away. */
const INSTANCE = 'bench-decisions';
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
    const copies = Array.from({ length: count }, () => copyOfRequest(model, { instance: INSTANCE, countedAs }));
    return sealChanges(copies, { codec: this.#codec, signer: this.#signer });
  }
}

const ACTOR_COUNT = 64;

/** Contacts are all different, actors are few. */
function countedAs(rule: string, unique: string): string {
  return `${rule} ${rule === 'by-contact' ? unique : Math.floor(Math.random() * ACTOR_COUNT)}`;
}
