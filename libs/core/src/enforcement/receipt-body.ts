// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { SignalFact } from '../change/conversation-facts.ts';
import type { DbtFact, RepairFact } from '../change/inspection-facts.ts';
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

/** How the holds on a request stand: waiting for approvals, or lifted by these. */
export type ApprovalField = {
  readonly state: 'pending' | 'used';
  /** The change that was held first. */
  readonly of: string;
  readonly have?: number;
  readonly need?: number;
  readonly grade_min?: number;
  readonly payload_hash?: Digest;
  /** Milliseconds, tenant time: until when it can be approved. */
  readonly expires_at?: number;
  readonly ids?: readonly string[];
  /** Stable subjects of those who approved. */
  readonly approvers?: readonly string[];
};

export type EmergencyField = {
  readonly approval_id: string;
  readonly ticket: string;
  /** Milliseconds, tenant time. */
  readonly review_by: number;
};

/** A switch that this record has thrown. */
export type TrippedField = {
  readonly rule: string;
  readonly scope: string;
  readonly metric: string;
  /** What was measured, as a decimal. */
  readonly value: string;
  readonly until: number;
};

export type CostField = {
  readonly rule: string;
  readonly scope: string;
  readonly currency: string;
  readonly limit: string;
  readonly remaining: string;
};

export type VoiceField = {
  readonly rule: string;
  readonly session: string | null;
  readonly disclaimer_required: boolean;
  readonly disclaimer_played: boolean | null;
  readonly disclaimer_acknowledged: boolean | null;
  readonly barge_in_window_ms: number | null;
  readonly asserted_by: string | null;
  /** Of the partner's call log that the above was taken from. */
  readonly signal?: SignalFact;
  readonly compliant: boolean;
  readonly codes: readonly string[];
};

export type DeployField = {
  readonly rule: string;
  readonly commit_sha: string;
  readonly artifact: string | null;
  readonly environment: string | null;
  readonly author: string | null;
};

export type SqlField = {
  readonly rule: string;
  readonly dialect: string;
  readonly statement_digest: Digest;
  readonly statement_count: number;
  readonly verdict: string;
  readonly codes: readonly string[];
};

export type DetectorField = { readonly rule: string; readonly class: string; readonly count: number };

export type ExternalField = { readonly id: string; readonly outcome: string; readonly outage?: string };

/** What primitives add to a receipt, each its own members. */
export type PrimitiveFields = {
  readonly idempotency?: IdempotencyField;
  readonly velocity?: readonly VelocityField[];
  readonly approval?: ApprovalField;
  readonly bec_approval_grade?: number;
  readonly approver_principal?: string;
  readonly emergency?: EmergencyField;
  readonly cost?: readonly CostField[];
  readonly voice_compliance_check?: readonly VoiceField[];
  readonly deploy?: readonly DeployField[];
  readonly sql?: readonly SqlField[];
  readonly detectors?: readonly DetectorField[];
  readonly external_detectors?: readonly ExternalField[];
  readonly prompt_delta_hash?: Digest;
  /** The one repair of the body: what was forwarded has `repaired_digest`. */
  readonly repair?: RepairFact;
  readonly dbt_test_results?: readonly DbtFact[];
};

export type DecidedBody = Common &
  PrimitiveFields & {
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
    readonly lineage?: { readonly reads: readonly string[]; readonly writes: readonly string[] };
    readonly tripped?: readonly TrippedField[];
    readonly emergencies?: { readonly open: number; readonly overdue: readonly string[] };
    readonly state_digest?: Digest;
    readonly count?: number;
  };

export type RecordedBody = Common & {
  readonly kind: 'recorded';
  readonly effect: 'done' | 'failed' | 'returned' | 'remembered' | 'ticked' | 'ignored';
  readonly of?: string;
  readonly tripped?: readonly TrippedField[];
};

export type PoisonedBody = Common & {
  readonly kind: 'poisoned';
  readonly reason: string;
  readonly record_digest: Digest;
  readonly record_size: number;
};

export type ReceiptBody = DecidedBody | RecordedBody | PoisonedBody;
