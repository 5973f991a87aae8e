// SPDX-License-Identifier: Apache-2.0
import { SeededRandom } from '../seeded-random.ts';
import { SimClock } from '../sim-clock.ts';
import { SimLog } from '../sim-log.ts';
import { recordLogContract } from './record-log-contract.ts';
import type { RecordLogHarness } from './record-log-harness.ts';

const SEED_COUNT = 20;

for (let seed = 1; seed <= SEED_COUNT; seed += 1) {
  recordLogContract({ name: `simulated, seed ${seed}`, create: async () => simHarness(seed) });
}

function simHarness(seed: number): RecordLogHarness {
  const clock = new SimClock();
  const log = new SimLog({ clock, random: new SeededRandom(seed) });
  let topicCount = 0;
  return {
    log,
    clock,
    slackMs: 0,
    lostWithinMs: 4_000,
    createTopic: async (partitionCount) => {
      topicCount += 1;
      log.createTopic(`topic.${topicCount}`, partitionCount);
      return `topic.${topicCount}`;
    },
    setFaults: (faults) => log.setFaults(faults),
    freeze: () => log.freeze(),
    thaw: () => log.thaw(),
    disconnectReaders: () => log.disconnectReaders(),
    drive: (body) => clock.drive(body),
    close: () => clock.runUntilIdle(),
  };
}
