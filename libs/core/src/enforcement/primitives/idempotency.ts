// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../../canonical/json-value.ts';
import { appliesTo } from '../../policy/policy.ts';
import { block, type Finding, NOTHING, type Primitive, type RequestContext } from '../primitive.ts';
import type { StateOp } from '../state-table.ts';

type Idempotency = NonNullable<RequestContext['facts']['idempotency']>;

/** What is kept under a key: who holds it, for which body, and how far that change has come. */
type Holder = {
  readonly event_id: string;
  readonly receipt_id: string;
  readonly fingerprint: string;
  readonly state: 'in_flight' | 'done' | 'failed' | 'unknown';
  readonly expires_at: number;
};

const REFUSALS: Readonly<Record<Holder['state'], string>> = {
  in_flight: 'CLY_IDEMPOTENCY_IN_FLIGHT',
  done: 'CLY_IDEMPOTENCY_REPEAT',
  failed: 'CLY_IDEMPOTENCY_REPEAT',
  unknown: 'CLY_IDEMPOTENCY_UNKNOWN',
};

/**
 * One effect per key. A key is held from the moment its change is allowed; it comes free only if the change was
 * surely not forwarded. A holder whose end is not known never expires, and its TTL begins anew when the end becomes
 * known: a TTL that lapsed meanwhile must not make a second effect for a caller who was told to ask again.
 */
export const idempotency: Primitive = {
  name: 'idempotency',
  evaluate(context) {
    const rule = context.policy.idempotency.find((candidate) => appliesTo(candidate, context.route?.id ?? ''));
    if (rule === undefined) return NOTHING;
    if (context.facts.idempotency === null) {
      return rule.required ? { reasons: [block('idempotency', 'CLY_IDEMPOTENCY_MISSING')] } : NOTHING;
    }
    const key = `idem/${context.facts.idempotency.key_digest}`;
    const holder = context.state.get(key) as Holder | undefined;
    const open = holder !== undefined && (holder.state === 'in_flight' || holder.state === 'unknown');
    const retried = rule.mode === 'retry_failed' && holder?.state === 'failed';
    if (holder !== undefined && !retried && (open || holder.expires_at > context.nowMs)) return refuse(context, holder);
    return take(context, context.facts.idempotency, {
      key,
      ttlMs: rule.ttl_seconds * 1_000,
      reused: holder !== undefined,
    });
  },
  settle({ state, spent, settlement, nowMs }): readonly StateOp[] {
    const key = spent['key'] as string;
    const holder = state.get(key);
    if (holder === undefined) return [];
    if (settlement === 'returned') return [{ op: 'delete', key }];
    if (settlement === 'unknown') return [{ op: 'put', key, value: { ...holder, state: settlement } }];
    const expires_at = nowMs + (spent['ttl_ms'] as number);
    return [{ op: 'put', key, value: { ...holder, state: settlement, expires_at } }];
  },
};

function refuse(context: RequestContext, holder: Holder): Finding {
  const mismatch = holder.fingerprint !== context.facts.idempotency?.fingerprint;
  const code = mismatch ? 'CLY_IDEMPOTENCY_MISMATCH' : REFUSALS[holder.state];
  const repeated = holder.state === 'done' || holder.state === 'failed';
  return {
    reasons: [block('idempotency', code)],
    fields: {
      idempotency: mismatch
        ? { state: 'mismatch' }
        : {
            state: holder.state === 'in_flight' ? 'in_flight' : holder.state === 'unknown' ? 'unknown' : 'repeat',
            event_id: holder.event_id,
            receipt_id: holder.receipt_id,
            expires_at: holder.expires_at,
            ...(repeated ? { outcome: holder.state } : {}),
          },
    },
  };
}

type Taking = { readonly key: string; readonly ttlMs: number; readonly reused: boolean };

function take(context: RequestContext, { fingerprint }: Idempotency, { key, ttlMs, reused }: Taking): Finding {
  const expiresAt = context.nowMs + ttlMs;
  const value: JsonObject = {
    event_id: context.change.event_id,
    receipt_id: context.receiptId,
    fingerprint,
    state: 'in_flight',
    expires_at: expiresAt,
  };
  return {
    reasons: [],
    fields: { idempotency: { expires_at: expiresAt, state: reused ? 'expired_reuse' : 'first' } },
    spend: [{ op: 'put', key, value }],
    spent: { key, ttl_ms: ttlMs },
  };
}
