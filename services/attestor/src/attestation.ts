// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeStatement, signEnvelope } from '@clyra/core/evidence/statement';
import type { Signer } from '@clyra/core/ports/signer';
import type { Finding } from './bundle-verification.ts';

export const ATTESTATION_PREDICATE = 'https://clyra.dev/attestation/v0';

export type AttestedBundle = {
  readonly tenant: string;
  readonly origin: string;
  readonly start: number;
  readonly end: number;
  readonly manifestDigest: Digest;
};

/**
 * An in-toto statement about one bundle, modelled on SLSA's VSA. It has no time of its own: a producer's clock is no
 * evidence, and without it the same bundle, verifier and key give the same bytes again.
 */
export async function makeAttestation(bundle: AttestedBundle, finding: Finding, signer: Signer): Promise<Uint8Array> {
  const statement = encodeStatement({
    subjectName: 'manifest.json',
    subjectDigest: bundle.manifestDigest,
    predicateType: ATTESTATION_PREDICATE,
    predicate: predicateOf(bundle, finding),
  });
  return signEnvelope(statement, signer);
}

function predicateOf({ origin, start, end, tenant }: AttestedBundle, finding: Finding): JsonObject {
  const { verifier, policy, claims } = finding;
  return {
    resourceUri: `${origin}#${start}-${end}`,
    log: { origin, tenant, range: { start, end } },
    // One implementation judged this bundle. Two that agree would be listed as two.
    verifiers: [{ id: verifier.name, version: verifier.version, mode: verifier.mode }],
    verifierCount: 1,
    policy: { name: policy.name, digest: { sha256: policy.digest } },
    trustRoot: { digest: { sha256: finding.trustRoot } },
    verificationResult: finding.passed ? 'PASSED' : 'FAILED',
    verdict: finding.verdict,
    claims: claims.map(({ id, status, code }) => ({ id, status, code })),
    statement: finding.passed ? EVIDENCES : DOES_NOT_EVIDENCE,
  };
}

const EVIDENCES =
  'One verifier judged this bundle. It evidences the operation of the controls that its claims with status PASS name, over this range of the log and no further.';
const DOES_NOT_EVIDENCE =
  'One verifier judged this bundle, and it does not meet the policy named here. It evidences the operation of no control.';
