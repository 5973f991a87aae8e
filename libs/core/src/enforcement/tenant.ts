// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { encodeRecord } from '../canonical/record.ts';
import { linkTo, runGenesis } from '../change/links.ts';
import { assert } from '../kernel/assert.ts';
import type { Policy } from '../policy/policy.ts';
import type { Delegation } from '../signing/delegation.ts';
import { type Answered, bodyOf } from './body-members.ts';
import { decide } from './decide.ts';
import type { CommandSigner } from './decide-input.ts';
import { runKey } from './decide-run.ts';
import type { Draft } from './draft.ts';
import { StateTable } from './state-table.ts';
import { putMeta, readMeta } from './tenant-meta.ts';
import { isSkewed } from './time-skew.ts';

/** A tenant as the fold holds it: its state, and the head of its chain of bodies (not part of the state digest). */
export type Tenant = { readonly table: StateTable; nextSeq: number; prev: Digest };

export type TenantInput = Answered & {
  readonly appendTimeMs: number;
  readonly signatureValid: boolean;
  readonly signers: readonly CommandSigner[];
  readonly delegation?: Delegation | undefined;
  readonly policy: Policy | null;
  readonly isPolicy: (digest: Digest) => boolean;
};

export type Answer = { readonly bytes: Uint8Array; readonly body: JsonObject; readonly signed: boolean };

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
  if (counts) advanceTime(tenant.table, nowMs);
  return answer(tenant, input, { draft, decidedAt: counts ? nowMs : meta.time });
}

/** Many records share a millisecond, and then there is nothing to write. */
function advanceTime(table: StateTable, nowMs: number): void {
  const meta = readMeta(table);
  if (meta.time !== nowMs) table.apply([putMeta({ ...meta, time: nowMs })]);
}

export function answer(tenant: Tenant, input: TenantInput, decided: { draft: Draft; decidedAt: number }): Answer {
  const { draft, decidedAt } = decided;
  const runHead = headOfRun(tenant, input, draft);
  const isLast = draft.run?.step === 'close';
  if (draft.run !== undefined && isLast) tenant.table.apply([{ op: 'delete', key: runKey(draft.run.runId) }]);
  const meta = readMeta(tenant.table);
  const body = bodyOf(draft.part, {
    answered: input,
    decidedAt,
    tenantSeq: tenant.nextSeq,
    tenantPrev: tenant.prev,
    policyDigest: meta.policy,
    engine: meta.engine,
    run:
      draft.run === undefined || runHead === undefined
        ? undefined
        : { runId: draft.run.runId, seq: runHead.next_seq, prev: runHead.head },
    count: isLast ? runHead?.next_seq : undefined,
    stateDigest: draft.cut === true ? tenant.table.digest() : undefined,
  });
  const bytes = encodeRecord(body);
  const link = linkTo(bytes);
  tenant.nextSeq += 1;
  tenant.prev = link;
  if (draft.run !== undefined && !isLast && runHead !== undefined) {
    const next = { next_seq: runHead.next_seq + 1, head: link, actor: runHead.actor, at: decidedAt };
    tenant.table.apply([{ op: 'put', key: runKey(draft.run.runId), value: next }]);
  }
  return { bytes, body, signed: draft.part.kind === 'decided' };
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
