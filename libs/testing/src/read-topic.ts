// SPDX-License-Identifier: Apache-2.0
import type { LogRecord, RecordLog } from '@clyra/core/ports/record-log';

const DEADLINE_MS = 60_000;

/** Every record a topic holds now, by partition, in offset order. */
export async function readTopic(log: RecordLog, topic: string): Promise<readonly (readonly LogRecord[])[]> {
  const ends = await log.endOffsets(topic, DEADLINE_MS);
  const starts = await log.startOffsets(topic, DEADLINE_MS);
  const partitions: LogRecord[][] = ends.map(() => []);
  const open = new Set(
    ends.map((_, partition) => partition).filter((partition) => (starts[partition] ?? 0) < (ends[partition] ?? 0)),
  );
  if (open.size === 0) return partitions;
  const assignments = [...open].map((partition) => ({ topic, partition, fromOffset: starts[partition] ?? 0 }));
  let done: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  const onBatch = (batch: { partition: number; records: readonly LogRecord[] }): void => {
    const end = ends[batch.partition] ?? 0;
    for (const record of batch.records) if (record.offset < end) partitions[batch.partition]?.push(record);
    if ((batch.records.at(-1)?.offset ?? -1) >= end - 1) open.delete(batch.partition);
    if (open.size === 0) done();
  };
  const reader = await log.read({ name: 'read-topic', assignments, onBatch }, DEADLINE_MS);
  await finished;
  await reader.close();
  return partitions;
}
