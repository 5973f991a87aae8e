// SPDX-License-Identifier: Apache-2.0
import type { TopicNames } from '@clyra/core/change/topics';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { RecordLog } from '@clyra/core/ports/record-log';
import type { Credentials } from '../gateway/authenticate.ts';
import type { EdgeCounter } from '../gateway/edge-counter.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { ChangeIndex } from '../tenants/change-index.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import type { IntentMeter } from './intent-meter.ts';

export type DoorParts = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topics: TopicNames;
  readonly credentials: Credentials;
  readonly directory: Pick<TenantDirectory, 'get'>;
  readonly gateway: Pick<Gateway, 'handleFor' | 'whyClosed'>;
  readonly index: Pick<ChangeIndex, 'find' | 'receiptOf'>;
  readonly edge: Pick<EdgeCounter, 'count'>;
  readonly meter: IntentMeter;
};
