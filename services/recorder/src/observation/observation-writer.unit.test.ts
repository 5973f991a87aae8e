// SPDX-License-Identifier: Apache-2.0
import { sealObservations } from '@clyra/core/evidence/seal-observations';
import { ClyraError } from '@clyra/core/kernel/error';
import { sleep } from '@clyra/core/ports/clock';
import type { PartitionBatch } from '@clyra/core/ports/record-log';
import { offlineCodec } from '@clyra/runtime/envelope-codec';
import { plainCodec } from '@clyra/testing/plain-codec';
import { SimClock } from '@clyra/testing/sim-clock';
import { makeTestKey } from '@clyra/testing/test-keys';
import { describe, expect, it } from '@jest/globals';
import { draftOf, type ObservationDraft } from './observation-draft.ts';
import { ENVELOPE_BYTES_MAX, ObservationWriter } from './observation-writer.ts';

const SEND_MS = 10;

function draft(number: number): ObservationDraft {
  const observationId = number.toString(16).padStart(32, '0');
  return draftOf('watermark', { tenant: 'acme', sourceId: 'crm' }, { observationId, members: { number } });
}

/** A log that answers each send as the list says, and stores what it does not refuse. */
class ScriptedLog {
  readonly stored: string[] = [];
  readonly #answers: ('ok' | 'refused')[];
  readonly #clock: SimClock;

  constructor(clock: SimClock, answers: ('ok' | 'refused')[]) {
    this.#clock = clock;
    this.#answers = answers;
  }

  appender() {
    return {
      append: async (batches: readonly PartitionBatch[]) => {
        await sleep(this.#clock, SEND_MS);
        if (this.#answers.shift() === 'refused') {
          throw new ClyraError('CLY_LOG_APPEND_REFUSED', 'not this one', { retry: 'never' });
        }
        return batches.map(({ topic, partition, records }) => {
          const baseOffset = this.stored.length;
          for (const { value } of records) {
            const envelope = plainCodec.decode('ObservationEnvelope', value ?? new Uint8Array());
            if (!(envelope instanceof Promise)) this.stored.push(envelope.observation_id);
          }
          return { topic, partition, baseOffset };
        });
      },
      close: async () => {},
    };
  }
}

describe('the writer of a source', () => {
  it('puts nothing into the log after a send that was refused for good', async () => {
    const clock = new SimClock();
    const log = new ScriptedLog(clock, ['ok', 'refused', 'ok', 'ok']);
    const writer = new ObservationWriter({
      log,
      codec: plainCodec,
      signer: makeTestKey('recorder', ['recorder']),
      clock,
      topic: 'clyra.observations',
      name: 'recorder-crm',
      onTrouble: () => {},
    });
    const written: Promise<PromiseSettledResult<unknown>[]>[] = [];
    // One for each send: the next is given while the one before is on its way.
    for (let number = 1; number <= 4; number += 1) {
      written.push(Promise.allSettled([writer.write(draft(number), 0)]));
      await clock.advance(number === 1 ? SEND_MS / 2 : SEND_MS);
    }
    const results = (await clock.drive(Promise.all(written))).flat().map(({ status }) => status);
    expect(results).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
    expect(log.stored).toEqual([draft(1).observationId]);
    expect(writer.isBroken).toBe(true);
    await expect(writer.write(draft(6), 0)).rejects.toMatchObject({ code: 'CLY_LOG_APPEND_REFUSED' });
  });
});

describe('what an observation takes in a send', () => {
  it('is never more than is reckoned', async () => {
    const identity = { tenant: 'a'.repeat(63), sourceId: 's'.repeat(128) };
    const drafts = Array.from({ length: 1_024 }, (_, index) =>
      draftOf('transaction', identity, { observationId: index.toString(16).padStart(32, '0'), members: {} }),
    );
    const signer = makeTestKey('recorder', ['recorder']);
    const sealed = await sealObservations(drafts, { codec: offlineCodec(), signer });
    const sizes = sealed.map(({ value }, index) => (value?.length ?? 0) - (drafts[index]?.bytes.length ?? 0));
    const largest = Math.max(...sizes);
    // Kafka's length, attributes, times, key and headers of a record take 16 bytes at most, a larger body two of ours.
    expect(largest + 18).toBeLessThanOrEqual(ENVELOPE_BYTES_MAX);
    expect(largest).toBeGreaterThan(ENVELOPE_BYTES_MAX / 2);
  });
});
