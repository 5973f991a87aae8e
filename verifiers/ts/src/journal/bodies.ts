// SPDX-License-Identifier: Apache-2.0
import {
  ascending,
  closed,
  digest,
  id,
  integer,
  list,
  matching,
  nullable,
  oneOf,
  open,
  optional,
  type Reader,
  ShapeError,
  text,
} from '../json/shape.ts';
import { readLsn, readOperations, readRelation } from '../ledger/ledger-lines.ts';

const count = integer(0);

const readGrant = open({
  token_hash: digest,
  source_id: text,
  relations: list(text),
  operations: readOperations,
  rows_max: count,
  expires_at: count,
});

/** What any receipt body of a line must have (journal.md §1.1). */
export const readReceiptBody = open({
  v: integer(0, 0),
  kind: oneOf('decided', 'recorded'),
  change_kind: text,
  receipt_id: id,
  event_id: text,
  tenant: text,
  tenant_seq: count,
  tenant_prev: digest,
  stream_id: id,
  partition: count,
  offset: count,
  previous_offset: integer(-1),
  change_digest: digest,
  decided_at: count,
  run_id: optional(text),
  seq: optional(count),
  prev: optional(digest),
  state_digest: optional(digest),
});
export const readDecision = open({
  decision: oneOf('allow', 'block', 'hold'),
  policy_digest: nullable(digest),
  engine: count,
});
/** Of an allowed end of a run. */
export const readRunEnd = open({ run_id: text, count });
/** Of an allowed request. */
export const readGrants = optional(list(readGrant));

const partnerName = matching(
  /^[^\u0000-\u001f\u007f]{1,256}$/,
  'must be a text of 1 to 256 characters without control characters',
);
const commitment = closed({ $commit: digest });
const committable: Reader<unknown> = (value, member) =>
  typeof value === 'string' ? partnerName(value, member) : commitment(value, member);
const partnerNames = closed({
  actor_principal: optional(partnerName),
  approver_principal: optional(partnerName),
  client_app_id: optional(committable),
  session_id: optional(committable),
});
const checkCorrelation: Reader<void> = (value, member) => {
  if (Object.keys(partnerNames(value, member)).length === 0) {
    throw new ShapeError(member, 'must not be empty');
  }
};

const anyChange = open({ v: integer(0, 0), kind: text, tenant: text, event_id: text });
export const readChangeBody: typeof anyChange = (value, member) => {
  const read = anyChange(value, member);
  if (read.kind === 'run.opened') {
    openedRun(value, member);
  }
  return read;
};
const openedRun = open({ correlation: optional(checkCorrelation) });
export const readObservationBody = open({
  v: integer(0, 0),
  kind: text,
  tenant: text,
  source_id: text,
  observation_id: id,
});

const blindSpot = open({ code: text, relation: optional(text) });

/** What the body of each kind of observation must have. */
export const OBSERVATIONS = {
  transaction: open({
    system_id: text,
    timeline: count,
    commit_end_lsn: readLsn,
    committed_at: count,
    relations: list(readRelation),
    token_hashes: list(digest),
  }),
  watermark: open({ system_id: text, timeline: count, lsn: text, covers_until: count }),
  gap: open({ from_lsn: text, to_lsn: text, reason: text }),
  coverage: open({
    lsn: text,
    scope: oneOf('all', 'listed'),
    relations: ascending(list(text, 512), (relation) => relation),
    blind_spots: list(blindSpot, 64),
  }),
  outage: open({
    component: text,
    failed_at: count,
    detected_at: count,
    restored_at: count,
    cause: text,
    changes_refused: count,
  }),
  accessed: open({}),
  document: open({ sha256: digest, size: count }),
} as const;

export const readDocumentMention = closed({ document: text, sha256: digest, size: count });

export type ObservationKind = keyof typeof OBSERVATIONS;
export type BodyOf<K extends ObservationKind> = ReturnType<(typeof OBSERVATIONS)[K]>;
