// SPDX-License-Identifier: Apache-2.0
import { parseJson } from '../json/parse.ts';
import { closed, list, oneOf, ShapeError, text } from '../json/shape.ts';
import { CLAIM_IDS, type ClaimId } from '../report/claim.ts';

export const VERIFICATION_POLICY_BYTES_MAX = 65_536;

export interface VerificationPolicy {
  readonly name: string;
  readonly require: readonly ClaimId[];
}

/** Without a policy all is required but what a bundle may lack in good order. */
export const DEFAULT_POLICY: VerificationPolicy = {
  name: 'default',
  require: CLAIM_IDS.filter((claim) => claim !== 'reperformance' && claim !== 'disclosure'),
};

const readPolicy = closed({
  format: oneOf('clyra/verification-policy/v0'),
  name: text,
  require: list(oneOf(...CLAIM_IDS), CLAIM_IDS.length),
});

/** Parses a verification policy. Throws JsonError or ShapeError. */
export function parseVerificationPolicy(bytes: Uint8Array): VerificationPolicy {
  const form = { grammar: 'record', canonical: false, bytesMax: VERIFICATION_POLICY_BYTES_MAX } as const;
  const { name, require } = readPolicy(parseJson(bytes, form).value, '');
  if (new Set(require).size !== require.length) {
    throw new ShapeError('require', 'names a claim twice');
  }
  return { name, require };
}
