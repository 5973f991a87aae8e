// SPDX-License-Identifier: Apache-2.0

export const CLAIM_IDS = [
  'integrity',
  'order',
  'completeness',
  'authorship',
  'policy',
  'reconciliation',
  'coverage',
  'reperformance',
  'time',
  'witness',
  'disclosure',
] as const;
export type ClaimId = (typeof CLAIM_IDS)[number];
export type ClaimStatus = 'PASS' | 'FAIL' | 'PARTIAL' | 'ABSENT' | 'UNSUPPORTED';

/** A place in a bundle. Lines count from 1, bytes from 0: in their line for a journal, else in their file. */
export interface Location {
  readonly file: string;
  readonly line?: number;
  /** Last line of the place, when it is known only that the damage stands in `line`..`lineTo`. */
  readonly lineTo?: number;
  readonly byte?: number;
  readonly member?: string;
}

export interface Claim {
  readonly id: ClaimId;
  readonly status: ClaimStatus;
  /** Of the first failure, or why the status is not PASS; null at PASS. */
  readonly code: string | null;
  readonly location: Location | null;
  readonly message: string;
}

/** One thing that is wrong, in the order found. */
export interface Failure {
  readonly claim: ClaimId;
  readonly code: string;
  readonly message: string;
  readonly location: Location | null;
}
