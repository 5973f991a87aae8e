// SPDX-License-Identifier: Apache-2.0

import type { LogRecord } from '@clyra/core/ports/record-log';
import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from './seeded-random.ts';
import { SimClock } from './sim-clock.ts';
import { SimLog } from './sim-log.ts';

const TOPIC = 'topic';

function world(seed: number, faults = {}) {
  const clock = new SimClock();
  const log = new SimLog({ clock, random: new SeededRandom(seed), faults });
  log.createTopic(TOPIC, 2);
  return { clock, log };
}

function recordOf(byte: number) {
  return { key: null, value: Uint8Array.of(byte) };
}

/** What one seed does: the log's content and the order in which everything settled. */
async function history(seed: number): Promise<string[]> {
  const { clock, log } = world(seed, { lostResponseShare: 0.3, lostRequestShare: 0.2, refusedShare: 0.2 });
  const seen: string[] = [];
  const reader = await clock.drive(
    log.read(
      {
        name: 'history',
        assignments: [{ topic: TOPIC, partition: 0, fromOffset: 0 }],
        onBatch: ({ records }) => seen.push(`${clock.nowMs()} read ${records.map(({ offset }) => offset)}`),
        onConnection: (state) => seen.push(`${clock.nowMs()} ${state}`),
      },
      1_000,
    ),
  );
  const appender = log.appender('history');
  for (let byte = 0; byte < 40; byte += 1) {
    appender.append([{ topic: TOPIC, partition: 0, records: [recordOf(byte)] }], 2_000).then(
      ([append]) => seen.push(`${clock.nowMs()} stored ${byte} at ${append?.baseOffset}`),
      (error) => seen.push(`${clock.nowMs()} ${byte} ${error.code}`),
    );
  }
  clock.after(50, () => log.disconnectReaders());
  await clock.runUntilIdle();
  await reader.close();
  return seen;
}

describe('the simulated log', () => {
  it('does the same again under the same seed, and something else under another', async () => {
    expect(await history(11)).toEqual(await history(11));
    expect(await history(11)).not.toEqual(await history(12));
  });

  it('answers nobody in a process that has died, and keeps what had arrived', async () => {
    const { clock, log } = world(1);
    const client = log.connect();
    const seen: string[] = [];
    await clock.drive(
      client.read(
        {
          name: 'mortal',
          assignments: [{ topic: TOPIC, partition: 0, fromOffset: 0 }],
          onBatch: () => seen.push('read'),
        },
        1_000,
      ),
    );
    const send = () =>
      client.appender('mortal').append([{ topic: TOPIC, partition: 0, records: [recordOf(1)] }], 1_000);
    await clock.drive(send());
    await clock.advance(50);
    expect(seen).toEqual(['read']);
    const note = () => seen.push('settled');
    for (let count = 0; count < 20; count += 1) send().then(note, note);
    client.crash();
    await clock.runUntilIdle();
    expect(seen).toEqual(['read']);
    const storedCount = log.recordsOf(TOPIC, 0).length - 1;
    expect(storedCount).toBeGreaterThan(0);
    expect(storedCount).toBeLessThan(20);
  });

  it('may store a record after its sender gave up, as a thawed broker does', async () => {
    const { clock, log } = world(1);
    log.freeze();
    const given = log.appender('late').append([{ topic: TOPIC, partition: 0, records: [recordOf(1)] }], 100);
    await expect(clock.drive(given)).rejects.toMatchObject({ code: 'CLY_LOG_APPEND_UNKNOWN' });
    expect(log.recordsOf(TOPIC, 0)).toEqual([]);
    log.thaw();
    await clock.runUntilIdle();
    expect(log.recordsOf(TOPIC, 0).length).toBe(1);
  });

  it('reads over what retention and compaction took away', async () => {
    const { clock, log } = world(1);
    const keyed = (key: number, value: number) => ({ key: Uint8Array.of(key), value: Uint8Array.of(value) });
    log.put(TOPIC, 0, [keyed(1, 1), keyed(2, 2), keyed(1, 3), keyed(3, 4), keyed(2, 5)]);
    log.compact(TOPIC, 0);
    log.put(TOPIC, 1, [recordOf(1), recordOf(2), recordOf(3)]);
    log.deleteBefore(TOPIC, 1, 2);
    const records: LogRecord[] = [];
    await clock.drive(
      log.read(
        {
          name: 'gaps',
          assignments: [0, 1].map((partition) => ({ topic: TOPIC, partition, fromOffset: 0 })),
          onBatch: (batch) => records.push(...batch.records),
        },
        1_000,
      ),
    );
    await clock.runUntilIdle();
    const offsetsOf = (partition: number) =>
      records.filter((record) => record.partition === partition).map(({ offset }) => offset);
    expect([offsetsOf(0), offsetsOf(1)]).toEqual([[2, 3, 4], [2]]);
    expect(await clock.drive(log.startOffsets(TOPIC, 1_000))).toEqual([0, 2]);
  });

  it('stamps records with the broker clock, which may run elsewhere than the clients', async () => {
    const { clock, log } = world(1);
    log.setClockSkew(-60_000);
    log.put(TOPIC, 0, [recordOf(1)]);
    expect(log.recordsOf(TOPIC, 0)[0]?.appendTimeMs).toBe(clock.nowMs() - 60_000);
  });
});
