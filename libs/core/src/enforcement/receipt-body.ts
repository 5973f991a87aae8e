// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { Effect } from '../policy/effect.ts';
import type { Mode, Operation } from '../policy/policy.ts';

/** docs/spec/records.md §5: the bodies on clyra.receipts. Member names are those on the wire. */
export type Decision = 'allow' | 'block' | 'hold';

export type Reason = {
  /** What a program switches on: `CLY_<AREA>_<WHAT>`. */
  readonly code: string;
  readonly effect: Effect;
  /** The primitive or the policy rule that says so. */
  readonly rule: string;
  readonly threat_class: string;
  /** Always with the edition: `LLM10:2026`. */
  readonly owasp: readonly string[];
  readonly mitre_id?: string;
  readonly detail?: string;
};

export type Grant = {
  readonly token_hash: Digest;
  readonly source_id: string;
  readonly relations: readonly string[];
  readonly operations: readonly Operation[];
  readonly rows_max: number;
  /** Milliseconds, tenant time. */
  readonly expires_at: number;
};

type Common = {
  readonly v: 0;
  readonly change_kind: string;
  readonly receipt_id: string;
  readonly event_id: string;
  readonly tenant: string;
  readonly tenant_seq: number;
  readonly tenant_prev: Digest;
  readonly stream_id: string;
  readonly partition: number;
  readonly offset: number;
  /** The partition's previous change: what lies between is signed as empty. −1 before the first. */
  readonly previous_offset: number;
  readonly change_digest: Digest;
  /** Tenant time in milliseconds: the log's append time, never going back. */
  readonly decided_at: number;
  readonly run_id?: string;
  readonly seq?: number;
  readonly prev?: Digest;
};

export type IdempotencyField = {
  readonly state: 'first' | 'in_flight' | 'repeat' | 'mismatch' | 'unknown' | 'expired_reuse';
  /** The change that holds the key. */
  readonly event_id?: string;
  readonly receipt_id?: string;
  readonly outcome?: string;
  readonly expires_at?: number;
};

export type VelocityField = {
  readonly rule: string;
  /** Absent where the rule counts no actions. */
  readonly limit?: number;
  readonly remaining?: number;
  readonly window_seconds: number;
  /** Milliseconds until the oldest counted action leaves the window. */
  readonly reset_ms: number;
  /** Decimals of one currency; the empty text where the request names none. */
  readonly amount?: { readonly currency: string; readonly limit: string; readonly remaining: string };
};

export type DecidedBody = Common & {
  readonly kind: 'decided';
  readonly decision: Decision;
  readonly mode: Mode;
  readonly reasons: readonly Reason[];
  readonly policy_digest: Digest | null;
  readonly engine: number;
  readonly actor?: string;
  readonly route?: string;
  readonly payload_digest?: Digest;
  readonly inspected_under?: { readonly policy_digest: Digest | null; readonly inspector: string };
  readonly supersedes?: string;
  readonly duplicate_of?: string;
  readonly grants?: readonly Grant[];
  readonly idempotency?: IdempotencyField;
  readonly velocity?: readonly VelocityField[];
  readonly state_digest?: Digest;
  readonly count?: number;
};

export type RecordedBody = Common & {
  readonly kind: 'recorded';
  readonly effect: 'done' | 'failed' | 'returned' | 'remembered' | 'ticked' | 'ignored';
  readonly of?: string;
};

export type PoisonedBody = Common & {
  readonly kind: 'poisoned';
  readonly reason: string;
  readonly record_digest: Digest;
  readonly record_size: number;
};

export type ReceiptBody = DecidedBody | RecordedBody | PoisonedBody;
