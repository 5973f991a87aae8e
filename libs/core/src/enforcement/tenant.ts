// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject, JsonValue } from '../canonical/json-value.ts';
import { encodeRecord } from '../canonical/record.ts';
import type { ChangeBody } from '../change/change-body.ts';
import { linkTo, runGenesis } from '../change/links.ts';
import { assert } from '../kernel/assert.ts';
import type { Policy } from '../policy/policy.ts';
import type { Delegation } from '../signing/delegation.ts';
import { decide } from './decide.ts';
import type { CommandSigner } from './decide-input.ts';
import { runKey } from './decide-run.ts';
import type { Draft } from './draft.ts';
import { StateTable } from './state-table.ts';
import { putMeta, readMeta } from './tenant-meta.ts';
import { isSkewed } from './time-skew.ts';

/** A tenant as the fold holds it: its state, and the head of its chain of bodies (not part of the state digest). */
export type Tenant = { readonly table: StateTable; nextSeq: number; prev: Digest };

export type Place = {
  readonly streamId: string;
  readonly partition: number;
  readonly offset: number;
  readonly previousOffset: number;
};

export type TenantInput = {
  readonly change: ChangeBody;
  readonly changeDigest: Digest;
  readonly place: Place;
  readonly receiptId: string;
  readonly appendTimeMs: number;
  readonly signatureValid: boolean;
  readonly signers: readonly CommandSigner[];
  readonly delegation?: Delegation | undefined;
  readonly policy: Policy | null;
  readonly isPolicy: (digest: Digest) => boolean;
};

export type Answer = { readonly bytes: Uint8Array; readonly body: JsonObject; readonly signed: boolean };

/** A body while it is made. */
type Members = Record<string, JsonValue | undefined>;

/** `actor` opened the run; `at` is the tenant time of its newest body. */
type RunHead = { readonly next_seq: number; readonly head: Digest; readonly actor: string };

/** Decides one record and moves the tenant on: the only place where a tenant's state changes. */
export function advanceTenant(tenant: Tenant, input: TenantInput): Answer {
  const meta = readMeta(tenant.table);
  const skewed = isSkewed(input.change, input.appendTimeMs);
  const nowMs = skewed ? meta.time : Math.max(meta.time, input.appendTimeMs);
  const draft = decide({
    change: input.change,
    changeDigest: input.changeDigest,
    receiptId: input.receiptId,
    partition: input.place.partition,
    appendTimeMs: input.appendTimeMs,
    nowMs,
    signatureValid: input.signatureValid,
    signers: input.signers,
    delegation: input.delegation,
    state: tenant.table,
    meta,
    policy: input.policy,
    isPolicy: input.isPolicy,
  });
  const counts = input.signatureValid && !skewed;
  tenant.table.apply(draft.ops);
  if (counts) tenant.table.apply([putMeta({ ...readMeta(tenant.table), time: nowMs })]);
  return answer(tenant, input, { draft, decidedAt: counts ? nowMs : meta.time });
}

export function answer(tenant: Tenant, input: TenantInput, decided: { draft: Draft; decidedAt: number }): Answer {
  const { draft, decidedAt } = decided;
  const runHead = headOfRun(tenant, input, draft);
  if (draft.run?.step === 'close') tenant.table.apply([{ op: 'delete', key: runKey(draft.run.runId) }]);
  const signed = draft.part.kind === 'decided';
  const meta = readMeta(tenant.table);
  // What every body says comes first and in canonical order: only what this decision adds is then to be sorted into it.
  const body: Members = placeMembers(input);
  body['tenant'] = input.change.tenant;
  body['tenant_prev'] = tenant.prev;
  body['tenant_seq'] = tenant.nextSeq;
  body['v'] = 0;
  body['decided_at'] = decidedAt;
  Object.assign(body, draft.part);
  if (signed) {
    body['policy_digest'] = meta.policy;
    body['engine'] = meta.engine;
  }
  if (runHead !== undefined) {
    body['run_id'] = draft.run?.runId;
    body['seq'] = runHead.next_seq;
    body['prev'] = runHead.head;
  }
  if (draft.run?.step === 'close') body['count'] = runHead?.next_seq;
  if (draft.cut === true) body['state_digest'] = tenant.table.digest();
  const bytes = encodeRecord(body);
  const link = linkTo(bytes);
  tenant.nextSeq += 1;
  tenant.prev = link;
  if (draft.run !== undefined && draft.run.step !== 'close' && runHead !== undefined) {
    const next = { next_seq: runHead.next_seq + 1, head: link, actor: runHead.actor, at: decidedAt };
    tenant.table.apply([{ op: 'put', key: runKey(draft.run.runId), value: next }]);
  }
  return { bytes, body, signed };
}

export function placeMembers(input: Pick<TenantInput, 'change' | 'changeDigest' | 'place' | 'receiptId'>): Members {
  return {
    change_digest: input.changeDigest,
    change_kind: input.change.kind,
    event_id: input.change.event_id,
    offset: input.place.offset,
    partition: input.place.partition,
    previous_offset: input.place.previousOffset,
    receipt_id: input.receiptId,
    stream_id: input.place.streamId,
  };
}

function headOfRun(tenant: Tenant, input: TenantInput, draft: Draft): RunHead | undefined {
  if (draft.run === undefined) return undefined;
  const { run: step } = draft;
  if (step.step === 'open') {
    return { next_seq: 0, head: runGenesis(input.change.tenant, step.runId), actor: step.actor };
  }
  const run = tenant.table.get(runKey(step.runId));
  assert(run !== undefined, 'only an open run is extended or closed');
  return run as unknown as RunHead;
}

export function emptyTenant(prev: Digest): Tenant {
  return { table: new StateTable(), nextSeq: 0, prev };
}
