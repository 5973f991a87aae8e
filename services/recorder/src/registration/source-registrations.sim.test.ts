// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { topicNames } from '@clyra/core/change/topics';
import { silentLogger } from '@clyra/core/ports/logger';
import type { RecordLog } from '@clyra/core/ports/record-log';
import { FoldScript, SCRIPT_KEYS, START_MS, TENANT } from '@clyra/testing/fold-script';
import { plainCodec } from '@clyra/testing/plain-codec';
import { receiptEnvelope } from '@clyra/testing/receipt-envelope';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import { SimLog } from '@clyra/testing/sim-log';
import { describe, expect, it } from '@jest/globals';
import { type Registration, SourceRegistrations } from './source-registrations.ts';

const topics = topicNames();
const COMMANDS = 100;
const READERS_MAX = 32;

/** Commands to register one source again and again, and the receipts that an enforcer gave. */
async function written(): Promise<{ readonly clock: SimClock; readonly log: SimLog; readonly receipts: Buffer[] }> {
  const clock = new SimClock(START_MS);
  const log = new SimLog({ clock, random: new SeededRandom(1), faults: {} });
  for (const topic of [topics.changes, topics.receipts]) log.createTopic(topic, 1);
  const script = await new FoldScript().opened();
  for (let count = 0; count < COMMANDS; count += 1) {
    const members = { source_id: 'crm', database: digestOf(`database ${count}`), system_id: '7' };
    await script.command('source.registered', members, [SCRIPT_KEYS.operator]);
  }
  for (const envelope of script.envelopes) {
    log.put(topics.changes, 0, [{ key: null, value: plainCodec.encode('ChangeEnvelope', envelope) }]);
  }
  // Receipts of others, so that there is a place from which the own ones are waited for.
  log.put(
    topics.receipts,
    0,
    script.envelopes.map(() => ({ key: null, value: Buffer.alloc(0) })),
  );
  const receipts = script.steps.map(({ folded }) =>
    Buffer.from(plainCodec.encode('ReceiptEnvelope', receiptEnvelope(folded))),
  );
  return { clock, log, receipts };
}

describe('registrations that wait for their receipts', () => {
  it('are looked at a few at a time, and the first that was accepted counts when the receipts come', async () => {
    const { clock, log, receipts } = await written();
    const client = log.connect();
    let open = 0;
    let mostOpen = 0;
    const counted = new Proxy(client, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (name !== 'read') return typeof value === 'function' ? value.bind(target) : value;
        return async (...args: Parameters<RecordLog['read']>) => {
          if (!args[0].name.startsWith('recorder-receipt-')) return target.read(...args);
          open += 1;
          mostOpen = Math.max(mostOpen, open);
          const reader = await target.read(...args);
          const close = reader.close.bind(reader);
          reader.close = async () => {
            open -= 1;
            return close();
          };
          return reader;
        };
      },
    });
    const codes = new Set<unknown>();
    const found: Registration[] = [];
    const registrations = new SourceRegistrations({
      log: counted,
      codec: plainCodec,
      clock,
      logger: { ...silentLogger, warn: (_message, fields) => void codes.add(fields?.['code']) },
      topics,
      wanted: [{ tenant: TENANT, sourceId: 'crm' }],
      deadlineMs: 5_000,
      onRegistered: (_identity, registration) => found.push(registration),
    });
    const running = registrations.run();
    await clock.advance(20_000);
    expect([...codes]).toEqual(['CLY_RECORDER_REGISTRATIONS_OPEN']);
    expect([open, mostOpen]).toEqual([READERS_MAX, READERS_MAX]);
    for (const value of receipts) log.put(topics.receipts, 0, [{ key: null, value }]);
    await clock.advance(20_000);
    await running;
    expect(found).toEqual([{ partition: 0, systemId: '7' }]);
    expect(open).toBe(0);
  });
});
