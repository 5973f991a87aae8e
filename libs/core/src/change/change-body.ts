// SPDX-License-Identifier: Apache-2.0
import type { Commitment } from '../canonical/commitment-value.ts';
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import type { ChangeSetFact } from './change-set-fact.ts';
import type { DeployFact, RowsFact, VoiceFact } from './conversation-facts.ts';
import type { Correlation } from './correlation.ts';
import type { DetectorFacts, ExternalFact } from './detector-fact.ts';
import type { DbtFact, ItemsFact, RepairFact, ResponseFact, ValidatorFact } from './inspection-facts.ts';
import type { SqlFact } from './sql-fact.ts';

export type { DeployFact, RowsFact, VoiceFact } from './conversation-facts.ts';
export type { DbtFact, ItemsFact, RepairFact, ResponseFact, ValidatorFact } from './inspection-facts.ts';

/** docs/spec/records.md §4: the bodies on clyra.changes. Member names are those on the wire. */
export type IntakeRef = { readonly instance: string; readonly epoch: number };

type Common<Kind extends string> = {
  readonly v: 0;
  readonly kind: Kind;
  readonly tenant: string;
  /** UUIDv7, minted by intake. */
  readonly event_id: string;
  readonly intake: IntakeRef;
  /** Milliseconds, intake's clock: compared with the log's, never used as time. */
  readonly intake_at: number;
};

export type StreamOpened = Common<'stream.opened'> & {
  readonly stream_id: string;
  readonly partition: number;
  readonly partition_count: number;
  readonly previous_stream: string | null;
};

export type ChangeRequested = Common<'change.requested'> & {
  readonly run_id?: string;
  readonly supersedes?: string;
  readonly facts: Facts;
};

export type Outcome = 'done' | 'failed' | 'not_forwarded';

export type ChangeOutcome = Common<'change.outcome'> & {
  readonly of: string;
  readonly outcome: Outcome;
  readonly upstream_status?: number;
  readonly detail?: string;
  readonly response?: ResponseFact;
};

export type RunOpened = Common<'run.opened'> & {
  readonly run_id: string;
  readonly actor: string;
  readonly principal: string;
  readonly correlation?: Correlation;
};
export type RunClosed = Common<'run.closed'> & {
  readonly run_id: string;
  readonly actor: string;
  readonly principal: string;
};
export type WindowClosed = Common<'window.closed'> & { readonly number: number };
export type ClockTicked = Common<'clock.ticked'> & { readonly number: number };

export type CommandSignature = { readonly key_id: string; readonly sig: string };

export const COMMAND_KINDS = [
  'tenant.opened',
  'source.registered',
  'policy.activated',
  'engine.activated',
  'kill_switch.engaged',
  'kill_switch.lifted',
  'change.resolved',
  'approval.granted',
  'approval.revoked',
  'emergency.reviewed',
  'key.delegated',
] as const;
export type CommandKind = (typeof COMMAND_KINDS)[number];

export type CommandChange = Common<CommandKind> & {
  /** The record that people signed; its canonical bytes are the payload of every signature. */
  readonly command: JsonObject;
  readonly signatures: readonly CommandSignature[];
  /** What stands behind the command and is kept beside the log, by digest: the proof of an approval. */
  readonly documents?: readonly NamedDocument[];
};

export type NamedDocument = { readonly document: string; readonly sha256: Digest; readonly size: number };

export type ChangeBody =
  | StreamOpened
  | ChangeRequested
  | ChangeOutcome
  | RunOpened
  | RunClosed
  | WindowClosed
  | ClockTicked
  | CommandChange;

/** Who says so: a tenant or actor may be named by the credential, by headers and by the body. */
export type Claimed = { readonly from: 'credential' | 'header' | 'body'; readonly value: string };

export type SchemaFact = {
  readonly id: string | null;
  readonly verdict: 'valid' | 'invalid' | 'not_required' | 'not_checked';
  readonly errors: readonly { readonly pointer: string; readonly rule: string }[];
};

/**
 * An amount that a rule of the policy counts, as a plain decimal; null where the body has none that can be read. `rule`
 * is section and id: `rate_limits/refunds`.
 */
export type AmountFact = { readonly rule: string; readonly value: string | null; readonly currency: string | null };

/**
 * What inspection found in one request (docs/spec/records.md §4.1). No payload value is in it but the amounts that
 * rules of the policy count.
 */
export type Facts = {
  readonly route: string | null;
  readonly method: string;
  readonly target_digest: Digest;
  readonly principal: string;
  readonly tenants: readonly Claimed[];
  readonly actors: readonly Claimed[];
  readonly nonce_digest: Digest;
  /** `ok`, or the code of what is wrong with the body. */
  readonly content: string;
  readonly payload_digest: Digest;
  readonly payload_size: number;
  readonly canonical_digest: Digest | null;
  readonly schema: SchemaFact;
  readonly idempotency: { readonly key_digest: Digest; readonly fingerprint: Digest } | null;
  readonly velocity: readonly { readonly rule: string; readonly key_digest: Digest }[];
  readonly amounts?: readonly AmountFact[];
  /** Headers that the policy requires and the request lacks. */
  readonly headers_missing?: readonly string[];
  readonly voice?: readonly VoiceFact[];
  readonly deploy?: readonly DeployFact[];
  readonly rows?: readonly RowsFact[];
  readonly execution_token_hash: Digest;
  readonly inspected_under: { readonly policy_digest: Digest | null; readonly inspector: string };
  readonly origin?: string | Commitment;
  readonly client_app_id?: string | Commitment;
  readonly session_id?: string | Commitment;
  /** One for each `sql_safety` rule of the route. */
  readonly sql?: readonly SqlFact[];
  /** Present where the policy has a `detectors` rule for the route. */
  readonly detectors?: DetectorFacts;
  /** One for each `external_detectors` rule of the route. */
  readonly external_detectors?: readonly ExternalFact[];
  /** Present where the body was streamed. */
  readonly items?: ItemsFact;
  /** Present where the body was repaired; `canonical_digest` is that of the repaired one. */
  readonly repair?: RepairFact;
  /** One for each `validators` rule of the route. */
  readonly validators?: readonly ValidatorFact[];
  /** One for each `dbt_tests` rule of the route. */
  readonly dbt_test_results?: readonly DbtFact[];
  /** Present where the route's effects say where a change set stands. */
  readonly change_set?: ChangeSetFact;
};

/** An inspector's findings depend on its version as well as on the policy. */
export const INSPECTOR = 'clyra-inspector/0';

/** The pseudo-tenant of a partition's own log: stream.opened and poison. */
export const PARTITION_TENANT = '_partition';
