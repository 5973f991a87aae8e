// SPDX-License-Identifier: Apache-2.0
import type { TopicNames } from '@clyra/core/change/topics';
import type { DirectoryPump } from '../tenants/directory-pump.ts';
import type { ReceiptIntake } from './receipt-intake.ts';
import { type FollowerParts, TopicFollower } from './topic-follower.ts';

export type LogFollowers = {
  readonly receipts: TopicFollower<'ReceiptEnvelope'>;
  readonly changes: TopicFollower<'ChangeEnvelope'>;
};

type Ports = Pick<FollowerParts<'ReceiptEnvelope'>, 'log' | 'codec' | 'clock' | 'logger'> & {
  readonly topics: TopicNames;
  readonly onReceiptsConnection?: (state: 'connected' | 'lost') => void;
};

/** Readers of the two topics that an intake follows. */
export function logFollowers(ports: Ports, to: { receipts: ReceiptIntake; pump: DirectoryPump }): LogFollowers {
  const { log, codec, clock, logger, topics, onReceiptsConnection } = ports;
  const shared = { log, codec, clock, logger };
  return {
    receipts: new TopicFollower({
      ...shared,
      topic: topics.receipts,
      name: 'ReceiptEnvelope',
      onRecord: (record) => to.receipts.take(record),
      ...(onReceiptsConnection === undefined ? {} : { onConnection: onReceiptsConnection }),
    }),
    changes: new TopicFollower({
      ...shared,
      topic: topics.changes,
      name: 'ChangeEnvelope',
      onRecord: (record) => to.pump.offerChange(record),
    }),
  };
}
