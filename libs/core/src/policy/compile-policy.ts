// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { digestOf } from '../canonical/digest.ts';
import type { JsonValue } from '../canonical/json-value.ts';
import { lintRules } from './lint-policy.ts';
import { mergeOverlay } from './merge-overlay.ts';
import type { CompiledPolicy, Policy } from './policy.ts';
import type { Finding } from './policy-cursor.ts';
import { inOrder, PolicyError, type PolicyProblem } from './policy-problem.ts';
import { POLICY_BYTES_MAX, PolicySource } from './policy-source.ts';
import { readPolicy } from './read-policy.ts';

/** A text of rules that come to a policy; its name is where its problems are told, and what its rules' ids begin with. */
export type OverlayText = { readonly name: string; readonly text: string };

export type LintedPolicy = {
  /** undefined where there are problems. */
  readonly compiled: CompiledPolicy | undefined;
  /** What makes it unusable. */
  readonly problems: readonly PolicyProblem[];
  /** What is likely to be a mistake: rules that can never matter, and places where little is checked. */
  readonly remarks: readonly PolicyProblem[];
};

/**
 * A policy text (YAML, so JSON too) with every default made explicit, as canonical bytes and their digest.
 * Throws PolicyError (CLY_POLICY_INVALID) that lists every problem with its line and column.
 */
export function compilePolicy(yaml: string, overlays: readonly OverlayText[] = []): CompiledPolicy {
  const { compiled, problems } = compileAll(yaml, overlays);
  if (compiled === undefined) throw new PolicyError(problems);
  return compiled;
}

/** The same, without throwing, and with remarks. */
export function lintPolicy(yaml: string, overlays: readonly OverlayText[] = []): LintedPolicy {
  try {
    return compileAll(yaml, overlays);
  } catch (error) {
    if (error instanceof PolicyError) return { compiled: undefined, problems: error.problems, remarks: [] };
    throw error;
  }
}

function compileAll(yaml: string, overlays: readonly OverlayText[]): LintedPolicy {
  const source = new PolicySource(yaml);
  const findings = [...source.findings];
  let policy = readPolicy(source.value, findings);
  const problems = inOrder(findings.map((finding) => source.problemOf(finding)));
  const remarks: PolicyProblem[] = problems.length > 0 ? [] : lintRules(policy).map((one) => source.problemOf(one));
  for (const { name, text } of overlays) {
    const added = addOverlay(policy, { name, text });
    policy = added.policy;
    problems.push(...added.problems);
    remarks.push(...added.remarks);
  }
  if (problems.length > 0) return { compiled: undefined, problems, remarks: [] };
  const bytes = policyBytes(policy);
  if (bytes.length > POLICY_BYTES_MAX) {
    const message = 'the compiled policy is larger than 1 MiB';
    return { compiled: undefined, problems: [{ pointer: '', message, place: null }], remarks: [] };
  }
  return { compiled: { digest: digestOf(bytes), policy, bytes }, problems, remarks: inOrder(remarks) };
}

type Added = { readonly policy: Policy; readonly problems: PolicyProblem[]; readonly remarks: PolicyProblem[] };

function addOverlay(policy: Policy, { name, text }: OverlayText): Added {
  try {
    const source = new PolicySource(text);
    const overlay = { name, findings: [...source.findings], remarks: [] as Finding[] };
    const merged = mergeOverlay(policy, source.value, overlay);
    const told = (finding: Finding): PolicyProblem => ({ ...source.problemOf(finding), file: name });
    return { policy: merged, problems: inOrder(overlay.findings.map(told)), remarks: overlay.remarks.map(told) };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return { policy, problems: error.problems.map((problem) => ({ ...problem, file: name })), remarks: [] };
  }
}

export function policyBytes(policy: Policy): Uint8Array {
  return Buffer.from(canonicalJson(policy as unknown as JsonValue), 'utf8');
}
