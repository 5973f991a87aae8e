// SPDX-License-Identifier: Apache-2.0
import type { TopicNames } from '@clyra/core/change/topics';
import type { BundleSigners } from '@clyra/core/evidence/bundle-files';
import type { Separation } from '@clyra/core/evidence/sealed-range';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { PositionStore } from '@clyra/core/ports/position-store';
import type { RecordLog } from '@clyra/core/ports/record-log';

export type BundlerOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topics: TopicNames;
  /** Absent: every start reads the topics from their beginning. */
  readonly positions?: PositionStore;
  readonly signers: BundleSigners;
  readonly separation: Separation;
  readonly producer: { readonly name: string; readonly version: string };
  readonly limits?: Partial<BundlerLimits>;
  /** Called with a reason while a partition waits or has stopped, and with undefined when it goes on. */
  readonly onPartition?: (partition: number, reason: string | undefined) => void;
  /** Called when a bundle is whole and announced; it must return at once. */
  readonly onSealed?: (bundle: { readonly tenant: string; readonly start: number; readonly end: number }) => void;
  /** A bug: the process must end. */
  readonly onBug: (error: unknown) => void;
};

export type BundlerLimits = {
  readonly askDeadlineMs: number;
  readonly sendDeadlineMs: number;
  /** Of one send to clyra.journal, below Kafka's limit by a margin for envelopes and framing. */
  readonly sendBytesMax: number;
  readonly sendRecordsMax: number;
  /** Of one queue between a reader and its partition: beyond, the reader is paused. */
  readonly queueRecordsMax: number;
  readonly queueBytesMax: number;
  /** Lines of an open range held in memory per tenant: beyond, they are moved to the blob store in pieces of this size. */
  readonly spoolBytesMax: number;
  /** How long an observation of a tenant that is not open yet holds up those behind it. */
  readonly unknownTenantMs: number;
  /** Between two savings of a partition's position. */
  readonly positionMs: number;
};

export const BUNDLER_LIMITS: BundlerLimits = {
  askDeadlineMs: 10_000,
  sendDeadlineMs: 5_000,
  sendBytesMax: 700_000,
  sendRecordsMax: 1_000,
  queueRecordsMax: 4_000,
  queueBytesMax: 16_777_216,
  spoolBytesMax: 1_048_576,
  unknownTenantMs: 10_000,
  positionMs: 10_000,
};
