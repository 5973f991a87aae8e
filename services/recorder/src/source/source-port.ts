// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import type { LsnText } from '@clyra/adapter-postgres/lsn';
import type { ReplicationOptions, ReplicationStream } from '@clyra/adapter-postgres/replication-stream';
import type { SourceFacts } from '@clyra/adapter-postgres/source-preflight';

/**
 * A statement of the source about its own time: every commit that anybody could have seen before `coversUntilMs`
 * (milliseconds, the source's clock) ends at or before `lsn`.
 */
export type SourceMark = {
  readonly coversUntilMs: number;
  readonly lsn: LsnText;
  readonly systemId: string;
  readonly timeline: number;
  /** Read after `lsn`: nothing altered before it how the publication shows what is guarded, if it is what it was. */
  readonly publicationState: string;
};

export type StreamEvents = Required<Pick<ReplicationOptions, 'admit' | 'onTransaction' | 'onKeepalive' | 'onLost'>>;

/** One database to be recorded. Every rejection is a ClyraError; `retry` says whether waiting helps. */
export interface SourcePort {
  /** Reads everything the recorder depends on and changes nothing. */
  inspect(): Promise<SourceFacts>;
  /** Makes the publication and then the slot where they are missing and nothing else is refused. */
  prepare(): Promise<SourceFacts>;
  /** For a slot that is lost. */
  dropSlot(): Promise<void>;
  open(events: StreamEvents & { readonly digestKey: KeyObject }): Promise<ReplicationStream>;
  mark(): Promise<SourceMark>;
  close(): Promise<void>;
}
