// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { encodeRecord } from '../canonical/record.ts';
import { PARTITION_TENANT } from '../change/change-body.ts';
import { linkTo } from '../change/links.ts';
import type { Answer } from './tenant.ts';
import { reasonOf } from './threat-map.ts';

/** The partition's own chain of bodies: what belongs to no open tenant (stream.opened, poison, strangers). */
export type PartitionLog = { nextSeq: number; prev: Digest; time: number };

type Entry = { readonly members: JsonObject; readonly appendTimeMs: number };

export function appendToPartitionLog(log: PartitionLog, entry: Entry): Answer {
  log.time = Math.max(log.time, entry.appendTimeMs);
  const body: JsonObject = {
    v: 0,
    ...entry.members,
    tenant: PARTITION_TENANT,
    tenant_seq: log.nextSeq,
    tenant_prev: log.prev,
    decided_at: log.time,
  };
  const bytes = encodeRecord(body);
  log.nextSeq += 1;
  log.prev = linkTo(bytes);
  return { bytes, body, signed: true };
}

export function decidedMembers(decision: 'allow' | { readonly block: string }): JsonObject {
  const reasons = decision === 'allow' ? [] : [reasonOf({ code: decision.block, effect: 'block', rule: 'partition' })];
  return {
    kind: 'decided',
    decision: decision === 'allow' ? 'allow' : 'block',
    mode: 'gate',
    reasons: reasons as unknown as JsonObject[],
    policy_digest: null,
    engine: 1,
  };
}

/** The event id of a record that has none to be trusted. */
export const NO_EVENT_ID = '00000000-0000-0000-0000-000000000000';
