// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import type { ChangeBody } from '../change/change-body.ts';
import type { DecidedPart, RecordedPart } from './draft.ts';
import type { DecidedBody, RecordedBody } from './receipt-body.ts';

export type Place = {
  readonly streamId: string;
  readonly partition: number;
  readonly offset: number;
  readonly previousOffset: number;
};

/** The record that is answered. */
export type Answered = {
  readonly change: ChangeBody;
  readonly changeDigest: Digest;
  readonly place: Place;
  readonly receiptId: string;
};

/** What stands in a body beside the decision itself. */
type BodyFrame = {
  readonly answered: Answered;
  readonly decidedAt: number;
  readonly tenantSeq: number;
  readonly tenantPrev: Digest;
  readonly policyDigest: Digest | null;
  readonly engine: number;
  /** Its place in its run. */
  readonly run: { readonly runId: string; readonly seq: number; readonly prev: Digest } | undefined;
  /** At the end of a run: how many bodies it has. */
  readonly count: number | undefined;
  /** At a cut. */
  readonly stateDigest: Digest | undefined;
};

/** A name that is left out here does not compile: its member would be missing in receipts. */
type InOrder<Body> = { readonly [Name in keyof Body]-?: Body[Name] | undefined };

/** A body with its members in canonical order, so that it is written as it stands; those that are undefined are not. */
export function bodyOf(part: DecidedPart | RecordedPart, frame: BodyFrame): JsonObject {
  const body = part.kind === 'decided' ? decidedBody(part, frame) : recordedBody(part, frame);
  return body as unknown as JsonObject;
}

function decidedBody(part: DecidedPart, frame: BodyFrame): InOrder<DecidedBody> {
  const { answered, run } = frame;
  const { change, place } = answered;
  return {
    actor: part.actor,
    approval: part.approval,
    approver_principal: part.approver_principal,
    bec_approval_grade: part.bec_approval_grade,
    change_digest: answered.changeDigest,
    change_kind: change.kind,
    cost: part.cost,
    count: frame.count,
    dbt_test_results: part.dbt_test_results,
    decided_at: frame.decidedAt,
    decision: part.decision,
    deploy: part.deploy,
    detectors: part.detectors,
    duplicate_of: part.duplicate_of,
    emergencies: part.emergencies,
    emergency: part.emergency,
    engine: frame.engine,
    event_id: change.event_id,
    external_detectors: part.external_detectors,
    grants: part.grants,
    idempotency: part.idempotency,
    inspected_under: part.inspected_under,
    kind: part.kind,
    lineage: part.lineage,
    mode: part.mode,
    offset: place.offset,
    partition: place.partition,
    payload_digest: part.payload_digest,
    policy_digest: frame.policyDigest,
    prev: run?.prev,
    previous_offset: place.previousOffset,
    prompt_delta_hash: part.prompt_delta_hash,
    reasons: part.reasons,
    receipt_id: answered.receiptId,
    repair: part.repair,
    route: part.route,
    run_id: run?.runId,
    seq: run?.seq,
    sql: part.sql,
    state_digest: frame.stateDigest,
    stream_id: place.streamId,
    supersedes: part.supersedes,
    tenant: change.tenant,
    tenant_prev: frame.tenantPrev,
    tenant_seq: frame.tenantSeq,
    tripped: part.tripped,
    v: 0,
    velocity: part.velocity,
    voice_compliance_check: part.voice_compliance_check,
  };
}

/** An outcome and a tick belong to no run. */
function recordedBody(part: RecordedPart, frame: BodyFrame): Omit<InOrder<RecordedBody>, 'run_id' | 'seq' | 'prev'> {
  const { change, changeDigest, place, receiptId } = frame.answered;
  return {
    change_digest: changeDigest,
    change_kind: change.kind,
    decided_at: frame.decidedAt,
    effect: part.effect,
    event_id: change.event_id,
    kind: part.kind,
    of: part.of,
    offset: place.offset,
    partition: place.partition,
    previous_offset: place.previousOffset,
    receipt_id: receiptId,
    stream_id: place.streamId,
    tenant: change.tenant,
    tenant_prev: frame.tenantPrev,
    tenant_seq: frame.tenantSeq,
    tripped: part.tripped,
    v: 0,
  };
}

/** What the partition's own bodies say about the record. */
export function placeMembers({ change, changeDigest, place, receiptId }: Answered): JsonObject {
  return {
    change_digest: changeDigest,
    change_kind: change.kind,
    event_id: change.event_id,
    offset: place.offset,
    partition: place.partition,
    previous_offset: place.previousOffset,
    receipt_id: receiptId,
    stream_id: place.streamId,
  };
}
