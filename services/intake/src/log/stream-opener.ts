// SPDX-License-Identifier: Apache-2.0
import { PARTITION_TENANT } from '@clyra/core/change/change-body';
import type { Logger } from '@clyra/core/ports/logger';
import type { Random } from '@clyra/core/ports/random';
import type { RecordLog } from '@clyra/core/ports/record-log';
import type { ChangePublisher } from './change-publisher.ts';
import type { ChangeWriter } from './change-writer.ts';

export type OpenerParts = {
  readonly log: RecordLog;
  readonly publisher: ChangePublisher;
  readonly writer: ChangeWriter;
  readonly random: Random;
  readonly logger: Logger;
  readonly topic: string;
};

/**
 * Writes stream.opened into each empty partition of clyra.changes. Two intakes may do so at once: only the record at
 * offset 0 counts. Rejects with CLY_LOG_UNREACHABLE, or what the log refuses for ever.
 */
export async function openStreams(parts: OpenerParts, deadlineMs: number): Promise<readonly number[]> {
  const ends = await parts.log.endOffsets(parts.topic, deadlineMs);
  const empty = ends.flatMap((end, partition) => (end === 0 ? [partition] : []));
  await Promise.all(
    empty.map((partition) => {
      const change = parts.writer.write({
        partition,
        tenant: PARTITION_TENANT,
        kind: 'stream.opened',
        members: {
          stream_id: Buffer.from(parts.random.bytes(16)).toString('hex'),
          partition,
          partition_count: ends.length,
          previous_stream: null,
        },
      });
      return parts.publisher.publish(change);
    }),
  );
  if (empty.length > 0) parts.logger.info('opened streams', { partitions: empty.join() });
  return empty;
}
