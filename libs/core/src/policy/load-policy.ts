// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../canonical/digest.ts';
import { parseJson } from '../canonical/parse-json.ts';
import { ClyraError } from '../kernel/error.ts';
import { policyBytes } from './compile-policy.ts';
import type { CompiledPolicy } from './policy.ts';
import type { Finding } from './policy-cursor.ts';
import { PolicyError } from './policy-problem.ts';
import { POLICY_BYTES_MAX } from './policy-source.ts';
import { readPolicy } from './read-policy.ts';

const LIMITS = { bytesMax: POLICY_BYTES_MAX, depthMax: 64, valuesMax: 200_000 };

/**
 * A compiled policy read back from its canonical bytes. Throws CLY_POLICY_DIGEST where the bytes are not those that
 * the digest names, CLY_JSON_* for bytes that are no JSON, and PolicyError for a document that compiling would not
 * have written: it must never be in force, whoever stored it.
 */
export function loadPolicy(bytes: Uint8Array, digest: Digest): CompiledPolicy {
  if (digestOf(bytes) !== digest) {
    throw new ClyraError('CLY_POLICY_DIGEST', `the stored policy is not ${digest}: restore it from its author`, {
      retry: 'never',
      context: { digest },
    });
  }
  const findings: Finding[] = [];
  const policy = readPolicy(parseJson(bytes, LIMITS), findings);
  if (findings.length > 0) throw new PolicyError(findings.map((finding) => ({ ...finding, place: null })));
  if (!Buffer.from(policyBytes(policy)).equals(bytes)) {
    throw new PolicyError([{ pointer: '', message: 'this is not the output of the compiler', place: null }]);
  }
  return { digest, policy, bytes };
}
