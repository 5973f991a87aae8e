// SPDX-License-Identifier: Apache-2.0
import type { VerificationPolicy } from '../documents/verification-policy.ts';
import { CLAIM_IDS, type Claim } from './claim.ts';
import type { Failures } from './failures.ts';
import type { Standings } from './standing.ts';
import type { ExitCode, Verdict } from './verify-report.ts';

/** One claim for each id, in the order of the specification. A failure outweighs all, what is not supported the rest. */
export function concludeClaims(standings: Standings, failures: Failures): readonly Claim[] {
  return CLAIM_IDS.map((id) => {
    const standing = standings[id];
    const failed = failures.first(id);
    const unsupported = failures.unsupported(id);
    const worst = failed ?? (standing.status === 'FAIL' ? undefined : unsupported);
    if (worst !== undefined) {
      const status = failed === undefined ? 'UNSUPPORTED' : 'FAIL';
      return { id, status, code: worst.code, location: worst.location, message: worst.message };
    }
    return { id, location: null, ...standing };
  });
}

/** The verdict and the exit code of the contract (verification.md §2); what cannot be read is told apart before. */
export function concludeVerdict(
  claims: readonly Claim[],
  policy: VerificationPolicy,
  failures: Failures,
): { verdict: Verdict; exitCode: ExitCode; reason: string } {
  if (failures.malformed !== null) {
    return { verdict: 'malformed', exitCode: 2, reason: `${failures.malformed.code}: ${failures.malformed.message}` };
  }
  const failed = claims.filter((claim) => claim.status === 'FAIL' && claim.id !== 'coverage');
  if (failed.length > 0) {
    return { verdict: 'invalid', exitCode: 1, reason: `${failed.map((claim) => claim.id).join(', ')} failed` };
  }
  const isAsked = (claim: Claim) => failures.isUnsupportedFormat || policy.require.includes(claim.id);
  const unsupported = claims.filter((claim) => claim.status === 'UNSUPPORTED' && isAsked(claim));
  if (unsupported.length > 0) {
    const reason = `not supported by this verifier: ${unsupported.map((claim) => claim.id).join(', ')}`;
    return { verdict: 'unsupported', exitCode: 3, reason };
  }
  const unmet = claims.filter((claim) => policy.require.includes(claim.id) && claim.status !== 'PASS');
  if (unmet.length > 0) {
    const reason = `the policy "${policy.name}" requires ${unmet.map((claim) => `${claim.id} (${claim.status})`).join(', ')}`;
    return { verdict: 'policy_not_met', exitCode: 4, reason };
  }
  return { verdict: 'valid', exitCode: 0, reason: `all that the policy "${policy.name}" requires holds` };
}
