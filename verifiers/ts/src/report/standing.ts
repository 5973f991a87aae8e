// SPDX-License-Identifier: Apache-2.0
import { CLAIM_IDS, type ClaimId, type ClaimStatus } from './claim.ts';

/** What a claim is when no failure speaks against it. */
export interface Standing {
  readonly status: ClaimStatus;
  readonly code: string | null;
  readonly message: string;
}
export type Standings = Readonly<Record<ClaimId, Standing>>;

export const HOLDS: Standing = { status: 'PASS', code: null, message: 'holds' };
const NOT_REACHED: Standing = { status: 'ABSENT', code: 'CLY_CLAIM_NOT_REACHED', message: 'was not reached' };

export function nothingReached(): Standings {
  return Object.fromEntries(CLAIM_IDS.map((claim) => [claim, NOT_REACHED])) as Standings;
}
