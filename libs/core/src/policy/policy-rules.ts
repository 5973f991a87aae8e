// SPDX-License-Identifier: Apache-2.0
import type { Effect } from './effect.ts';

/** The rules of a compiled policy, section by section. `routes` lists route ids; `*` is every route. */
type Ruled = { readonly id: string; readonly routes: readonly string[] };

/** A decimal amount in the body, and its currency: a pointer, a constant (`EUR`), or null where there is none. */
export type AmountSource = { readonly value: string; readonly currency: string | null };

export type IdempotencyRule = {
  readonly routes: readonly string[];
  readonly required: boolean;
  readonly ttl_seconds: number;
  /** `single_use`: a failed attempt uses the key up; `retry_failed`: the key may be used again after a failure. */
  readonly mode: 'single_use' | 'retry_failed';
};

export type RateLimitRule = Ruled & {
  /** Whose actions are counted together; a pointer counts by a value in the body. */
  readonly key: 'actor' | 'tenant' | 'route' | { readonly body: string };
  readonly window_seconds: number;
  readonly max_actions: number | null;
  readonly amount: AmountSource | null;
  /** The largest sum in the window by currency; `*` stands for each currency that is not listed. */
  readonly max_amount: Readonly<Record<string, string>>;
};

export type TenantFences = {
  /** Every place that names a tenant or an actor must agree with the credential. */
  readonly cross_check: boolean;
  /** JSON pointers into the body, or null. */
  readonly body_tenant: string | null;
  readonly body_actor: string | null;
  /** Header names in lower case; those that name a tenant or an actor are cross-checked too. */
  readonly required_headers: readonly string[];
  readonly privacy: 'plain' | 'hash_ids';
};

export type QuorumStep = { readonly above: Readonly<Record<string, string>>; readonly quorum: number };

export type ApprovalRule = Ruled & {
  /** How many different people must approve. */
  readonly quorum: number;
  readonly grade_min: number;
  readonly mfa: boolean;
  /** Domains of identity providers that may vouch for an approver; empty: any. */
  readonly idp_domains: readonly string[];
  readonly max_age_seconds: number;
  readonly login_age_seconds: number;
  readonly amount: AmountSource | null;
  readonly steps: readonly QuorumStep[];
  /** Requests whose amount does not exceed this need no approval, by currency. */
  readonly only_above: Readonly<Record<string, string>>;
};

/** One person under all their names, so that nobody approves what they asked for under another one. */
export type Person = { readonly subject: string; readonly aliases: readonly string[] };

export type BreakGlass = { readonly allowed: boolean; readonly review_hours: number };

export type KillSwitchTrigger = Ruled & {
  readonly metric: 'error_rate' | 'block_rate' | 'spend';
  /** A share between 0 and 1, or for `spend` a decimal amount. */
  readonly threshold: string;
  readonly window_seconds: number;
  readonly min_count: number;
  readonly scope: 'run' | 'actor' | 'route' | 'tenant';
  readonly ttl_seconds: number;
  readonly amount: AmountSource | null;
};

export type LoopRule = Ruled & {
  readonly window_seconds: number;
  readonly actions_per_minute: number | null;
  readonly identical_repeats: number | null;
  readonly ping_pong: number | null;
  readonly cool_off_seconds: number;
  readonly effect: Effect;
};

export type CostCap = Ruled & {
  readonly scope: 'run' | 'tenant';
  readonly amount: AmountSource | null;
  /** What every action costs besides. */
  readonly per_action: string;
  readonly max: string;
  readonly window_seconds: number;
};

export type SqlSafetyRule = Ruled & {
  readonly statement: string;
  readonly dialect: string | null;
  readonly dialect_from: string | null;
  readonly on_unsafe: Effect;
  readonly on_held: Effect;
  /** Codes that a maintenance route may have. */
  readonly allow: readonly string[];
  readonly rows_affected: { readonly value: string; readonly max: number } | null;
};

export type DetectorRule = Ruled & {
  readonly packs: readonly string[];
  readonly scope: readonly string[];
  readonly effect: Effect;
  readonly rules: Readonly<Record<string, Effect>>;
};

export type ExternalDetectorRule = Ruled & {
  readonly endpoint: string;
  readonly media: readonly string[];
  readonly deadline_ms: number;
  readonly verdicts: Readonly<Record<string, Effect>>;
  readonly on_outage: Readonly<Record<string, Effect>>;
};

export type VoiceRule = Ruled & {
  readonly session: string;
  readonly disclaimer_played: string;
  readonly disclaimer_acknowledged: string;
  readonly barge_in_available: string;
  readonly barge_in_window_ms: string;
  readonly disclaimer_required: boolean;
  readonly barge_in_window_ms_min: number;
  /** Who may say that a disclaimer was acknowledged: a registered partner only, or the caller too. */
  readonly asserted_by: 'partner' | 'caller';
  /** How old the newest record of a partner's call log may be; 300 where nothing is said. */
  readonly signal_seconds_max?: number;
  /** The least that the network must vouch for the calling number; nothing where nothing is said. */
  readonly attestation_min?: 'A' | 'B' | 'C';
  readonly effect: Effect;
};

export type DeployRule = Ruled & {
  readonly commit: string;
  readonly artifact: string | null;
  readonly environment: string | null;
  readonly author: string | null;
  readonly unique: 'commit' | 'artifact' | 'none';
  readonly unique_days: number;
  readonly max_per_hour: number | null;
  readonly segregation: boolean;
};

export type LineageRule = {
  readonly routes: readonly string[];
  readonly reads: readonly string[];
  readonly writes: readonly string[];
};

/** What intake keeps of bodies, encrypted; never in the log. */
export type BodyStorage = {
  /** `while_held`: until it is approved or can be no more; `allowed`: also those of allowed changes, until their time is over. */
  readonly keep: 'none' | 'while_held' | 'allowed';
  readonly retention_seconds: number;
  readonly bytes_max: number;
  /** What happens when there is no room: the only answer is to block. */
  readonly spill_policy: 'block';
};

export type ThreatEntry = {
  /** A reason code, or the beginning of several. */
  readonly code: string;
  readonly threat_class: string;
  readonly owasp: readonly string[];
  readonly mitre_id: string | null;
};

/** The sections that are plain lists of rules, each with an id: an overlay's rules simply come to those that are there. */
export const LISTED_SECTIONS = [
  'rate_limits',
  'approvals',
  'kill_switch',
  'loop_breaker',
  'cost_caps',
  'sql_safety',
  'detectors',
  'external_detectors',
  'voice',
  'deploy',
] as const;
