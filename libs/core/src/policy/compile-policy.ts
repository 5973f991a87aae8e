// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { digestOf } from '../canonical/digest.ts';
import type { JsonValue } from '../canonical/json-value.ts';
import type { CompiledPolicy, Policy } from './policy.ts';
import { PolicyError, type PolicyProblem } from './policy-problem.ts';
import { POLICY_BYTES_MAX, PolicySource } from './policy-source.ts';
import { readPolicy } from './read-policy.ts';

/**
 * A policy text (YAML, so JSON too) with every default made explicit, as canonical bytes and their digest.
 * Throws PolicyError (CLY_POLICY_INVALID) that lists every problem with its line and column.
 */
export function compilePolicy(yaml: string): CompiledPolicy {
  const source = new PolicySource(yaml);
  const findings = [...source.findings];
  const policy = readPolicy(source.value, findings);
  if (findings.length > 0) throw new PolicyError(inOrder(findings.map((finding) => source.problemOf(finding))));
  const bytes = policyBytes(policy);
  if (bytes.length > POLICY_BYTES_MAX) {
    throw new PolicyError([{ pointer: '', message: 'the compiled policy is larger than 1 MiB', place: null }]);
  }
  return { digest: digestOf(bytes), policy, bytes };
}

export function policyBytes(policy: Policy): Uint8Array {
  return Buffer.from(canonicalJson(policy as unknown as JsonValue), 'utf8');
}

function inOrder(problems: PolicyProblem[]): PolicyProblem[] {
  const rank = ({ place }: PolicyProblem): number => (place === null ? 0 : place.line * 1_000_000 + place.column);
  return problems.sort((a, b) => rank(a) - rank(b));
}
