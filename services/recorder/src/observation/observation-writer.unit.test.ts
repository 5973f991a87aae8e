// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { PartitionBatch } from '@clyra/core/ports/record-log';
import { plainCodec } from '@clyra/testing/plain-codec';
import { SimClock } from '@clyra/testing/sim-clock';
import { makeTestKey } from '@clyra/testing/test-keys';
import { describe, expect, it } from '@jest/globals';
import { draftOf, type ObservationDraft } from './observation-draft.ts';
import { ObservationWriter } from './observation-writer.ts';

function draft(number: number): ObservationDraft {
  const observationId = number.toString(16).padStart(32, '0');
  return draftOf('watermark', { tenant: 'acme', sourceId: 'crm' }, { observationId, members: { number } });
}

/** A log that answers each send as the list says, and stores what it does not refuse. */
class ScriptedLog {
  readonly stored: string[] = [];
  readonly #answers: ('ok' | 'refused')[];

  constructor(answers: ('ok' | 'refused')[]) {
    this.#answers = answers;
  }

  appender() {
    return {
      append: async (batches: readonly PartitionBatch[]) => {
        await Promise.resolve();
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
    const log = new ScriptedLog(['ok', 'refused', 'ok', 'ok']);
    const clock = new SimClock();
    const writer = new ObservationWriter({
      log,
      codec: plainCodec,
      signer: makeTestKey('recorder', ['recorder']),
      clock,
      topic: 'clyra.observations',
      name: 'recorder-crm',
      onTrouble: () => {},
    });
    const written: Promise<unknown>[] = [];
    // Each in a send of its own: the later ones wait while an earlier one is on its way.
    for (let number = 1; number <= 3; number += 1) {
      written.push(writer.write(draft(number), 0));
      await Promise.resolve();
      await Promise.resolve();
    }
    written.push(writer.write(draft(4), 0), writer.write(draft(5), 0));
    const results = await clock.drive(Promise.allSettled(written));
    const refusedFrom = results.findIndex(({ status }) => status === 'rejected');
    expect(refusedFrom).toBeGreaterThan(0);
    expect(results.slice(refusedFrom).every(({ status }) => status === 'rejected')).toBe(true);
    expect(log.stored).toHaveLength(refusedFrom);
    expect(writer.isBroken).toBe(true);
    await expect(writer.write(draft(6), 0)).rejects.toMatchObject({ code: 'CLY_LOG_APPEND_REFUSED' });
  });
});
