// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import type { TransactionBody } from '@clyra/core/evidence/observation-body';

export type ObservationKind = 'transaction' | 'watermark' | 'gap' | 'coverage';

/** What a transaction did, of its body: whoever judges it needs not read the bytes again. */
export type TransactionEffect = Pick<TransactionBody, 'committed_at' | 'relations' | 'token_hashes'>;

/** A finished body with the routing copies its envelope repeats; not signed yet. */
export type ObservationDraft = {
  readonly kind: ObservationKind;
  readonly tenant: string;
  readonly sourceId: string;
  readonly observationId: string;
  readonly bytes: Uint8Array;
};

export type TransactionDraft = ObservationDraft & { readonly kind: 'transaction'; readonly effect: TransactionEffect };

/** Whose observations these are. */
export type SourceIdentity = { readonly tenant: string; readonly sourceId: string };

/** The part of the log that an observation is about: log positions compare only within one. */
export type Incarnation = { readonly systemId: string; readonly timeline: number };

/**
 * docs/spec/records.md §6. The ordinal keeps observations at one position apart: 0 for the transaction that ends
 * there, covers_until for a watermark, -detected_at for a gap; the three ranges never meet.
 */
export function observationIdOf(at: Incarnation & { readonly lsn: string; readonly ordinal: number }): string {
  return digestOf(`${at.systemId}\n${at.timeline}\n${at.lsn}\n${at.ordinal}`).slice(0, 32);
}

export function draftOf(
  kind: ObservationKind,
  identity: SourceIdentity,
  content: { readonly observationId: string; readonly members: JsonObject },
): ObservationDraft {
  const { tenant, sourceId } = identity;
  const { observationId, members } = content;
  const bytes = encodeRecord({
    v: 0,
    kind,
    tenant,
    source_id: sourceId,
    observation_id: observationId,
    ...members,
  });
  return { kind, tenant, sourceId, observationId, bytes };
}

export function transactionDraftOf(
  identity: SourceIdentity,
  observationId: string,
  { effect, members }: { readonly effect: TransactionEffect; readonly members: JsonObject },
): TransactionDraft {
  const draft = draftOf('transaction', identity, { observationId, members: { ...members, ...effect } });
  return { ...draft, kind: 'transaction', effect };
}
