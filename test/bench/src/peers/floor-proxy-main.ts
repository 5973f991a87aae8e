// SPDX-License-Identifier: Apache-2.0
// The bare proxy, which holds each request until a value of the same size as the gateway's change has gone through the
// log and a value of the size of its receipt has come back: what any gateway with a durable decision must cost here.
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { BatchingAppender } from '@clyra/runtime/batching-appender';
import { systemClock } from '@clyra/runtime/system-clock';
import { followParent, tellParent } from '../process/peer-side.ts';
import { FLOOR_DEADLINE_MS, FLOOR_ID_BYTES, floorPlanOf } from './floor-plan.ts';
import { FloorSignatures } from './floor-signatures.ts';
import { startProxy } from './proxy-server.ts';

followParent();
const plan = floorPlanOf(process.argv[2]);
const log = new KafkaLog({ brokers: plan.brokers, clientId: 'bench-floor-proxy' });
const signatures = new FloorSignatures(plan.keys?.proxy);
const waiting = new Map<string, () => void>();
const appender = new BatchingAppender<Uint8Array>({
  log,
  clock: systemClock,
  name: 'floor-requests',
  topic: plan.requests,
  sends: 'together',
  seal: (values) => signatures.seal(values),
  sizeOf: (value) => value.length,
});
const ends = await log.endOffsets(plan.answers, FLOOR_DEADLINE_MS);
await log.read(
  {
    name: 'floor-proxy',
    assignments: ends.map((fromOffset, partition) => ({ topic: plan.answers, partition, fromOffset })),
    onBatch: ({ records }) => {
      for (const { value } of records) {
        if (value === null) continue;
        signatures.check(value);
        waiting.get(idOf(value))?.();
      }
    },
  },
  FLOOR_DEADLINE_MS,
);

let serial = 0;
async function twoHops(): Promise<void> {
  const value = new Uint8Array(plan.requestBytes);
  value.set(randomBytes(FLOOR_ID_BYTES));
  const id = idOf(value);
  const answered = new Promise<void>((resolve) => {
    waiting.set(id, resolve);
  });
  serial += 1;
  await appender.enqueue(value, serial % plan.partitionCount);
  await answered;
  waiting.delete(id);
}

function idOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, FLOOR_ID_BYTES).toString('hex');
}

tellParent({ ready: await startProxy({ upstreamUrl: plan.upstreamUrl, hold: twoHops }) });
