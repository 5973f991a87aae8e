// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '../checks/derived-lines.ts';
import type { Mode } from '../checks/signature-check.ts';
import type { MatchStatus } from '../ledger/judge.ts';
import type { Claim, ClaimId, Failure } from './claim.ts';

export type Verdict = 'valid' | 'invalid' | 'malformed' | 'unsupported' | 'policy_not_met' | 'io_error';
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5;

/** What a verification found. A plain value, fit for JSON. */
export interface VerifyReport {
  readonly verdict: Verdict;
  readonly exitCode: ExitCode;
  readonly reason: string;
  readonly verifier: { readonly name: string; readonly version: string };
  readonly mode: Mode;
  readonly directory: string;
  /** Null when the manifest could not be read. */
  readonly bundle: BundleSummary | null;
  /** Null when none was passed. */
  readonly trustRoot: {
    readonly digest: string;
    readonly version: number;
    readonly singleOperator: boolean;
  } | null;
  readonly policy: { readonly name: string; readonly require: readonly ClaimId[] };
  readonly claims: readonly Claim[];
  readonly failures: readonly Failure[];
  readonly failuresTotal: number;
  readonly findings: {
    readonly counts: Readonly<Record<MatchStatus, number>>;
    /** At most 20. */
    readonly listed: readonly Finding[];
  } | null;
  readonly notProved: readonly string[];
}

export interface BundleSummary {
  readonly tenant: string;
  readonly origin: string;
  readonly range: { readonly start: number; readonly end: number };
  readonly root: string;
  readonly manifestDigest: string;
  readonly trustRootNamed: string;
  readonly separation: string;
}
