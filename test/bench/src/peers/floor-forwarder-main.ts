// SPDX-License-Identifier: Apache-2.0
// Stands where the enforcer stands in the floor: for each value read it writes one of the size of a receipt.
import process from 'node:process';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { BatchingAppender } from '@clyra/runtime/batching-appender';
import { systemClock } from '@clyra/runtime/system-clock';
import { followParent, tellParent } from '../process/peer-side.ts';
import { FLOOR_DEADLINE_MS, FLOOR_ID_BYTES, floorPlanOf } from './floor-plan.ts';
import { FloorSignatures } from './floor-signatures.ts';

followParent();
process.on('SIGTERM', () => process.exit(0));
const plan = floorPlanOf(process.argv[2]);
const log = new KafkaLog({ brokers: plan.brokers, clientId: 'bench-floor-forwarder' });
const signatures = new FloorSignatures(plan.keys?.forwarder);
const appender = new BatchingAppender<Uint8Array>({
  log,
  clock: systemClock,
  name: 'floor-answers',
  topic: plan.answers,
  sends: 'together',
  seal: (values) => signatures.seal(values),
  sizeOf: (value) => value.length,
});
const ends = await log.endOffsets(plan.requests, FLOOR_DEADLINE_MS);
await log.read(
  {
    name: 'floor-forwarder',
    assignments: ends.map((fromOffset, partition) => ({ topic: plan.requests, partition, fromOffset })),
    onBatch: ({ partition, records }) => {
      for (const { value } of records) {
        if (value === null) continue;
        signatures.check(value);
        const answer = new Uint8Array(plan.answerBytes);
        answer.set(value.subarray(0, FLOOR_ID_BYTES));
        void appender.enqueue(answer, partition);
      }
    },
  },
  FLOOR_DEADLINE_MS,
);
tellParent({ ready: plan.answers });
