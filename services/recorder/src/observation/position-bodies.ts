// SPDX-License-Identifier: Apache-2.0
import type { LsnText } from '@clyra/adapter-postgres/lsn';
import {
  draftOf,
  type Incarnation,
  type ObservationDraft,
  observationIdOf,
  type SourceIdentity,
} from './observation-draft.ts';

export type WatermarkFacts = Incarnation & { readonly lsn: LsnText; readonly coversUntilMs: number };

export function watermarkDraft(identity: SourceIdentity, facts: WatermarkFacts): ObservationDraft {
  const { systemId, timeline, lsn, coversUntilMs } = facts;
  return draftOf('watermark', identity, {
    observationId: observationIdOf({ systemId, timeline, lsn, ordinal: coversUntilMs }),
    members: { system_id: systemId, timeline, lsn, covers_until: coversUntilMs },
  });
}

export type GapFacts = {
  /** Where `fromLsn` belongs. */
  readonly before: Incarnation;
  readonly fromLsn: LsnText;
  readonly toLsn: LsnText;
  readonly reason: string;
  /** Milliseconds, the recorder's clock. */
  readonly detectedAtMs: number;
};

export function gapDraft(identity: SourceIdentity, gap: GapFacts): ObservationDraft {
  return draftOf('gap', identity, {
    observationId: observationIdOf({ ...gap.before, lsn: gap.fromLsn, ordinal: -gap.detectedAtMs }),
    members: { from_lsn: gap.fromLsn, to_lsn: gap.toLsn, reason: gap.reason, detected_at: gap.detectedAtMs },
  });
}
