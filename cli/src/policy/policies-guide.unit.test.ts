// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { readCases } from '@clyra/core/enforcement/trial/case-table';
import { runCases } from '@clyra/core/enforcement/trial/run-cases';
import { compilePolicy, lintPolicy } from '@clyra/core/policy/compile-policy';
import { diffPolicies } from '@clyra/core/policy/diff-policies';
import { describe, expect, it } from '@jest/globals';
import { caseAnalysers } from './case-analysers.ts';
import { diffInWords } from './in-words.ts';

const guide = readFileSync(new URL('../../../docs/guides/policies.md', import.meta.url), 'utf8');

/** Parsers and packs are loaded, maybe on a busy machine. */
const PATIENCE_MS = 240_000;

/** The fenced block with this head. */
function block(head: string): string {
  const found = new RegExp(`^\`\`\`${head}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(guide);
  if (found?.[1] === undefined) throw new Error(`the guide has no block ${head}`);
  return found[1];
}

const text = block('yaml refunds.yaml');
const compiled = compilePolicy(text);

describe('docs/guides/policies.md', () => {
  it('has a policy without remarks', () => {
    expect(lintPolicy(text, [])).toMatchObject({ problems: [], remarks: [] });
  });

  it(
    'has cases that hold, and touch every rule',
    async () => {
      const { results, untouched } = runCases(
        compiled,
        readCases(block('yaml cases.yaml')),
        await caseAnalysers(compiled),
      );
      expect(results.filter(({ passed }) => !passed)).toEqual([]);
      expect([results.length, untouched]).toEqual([6, []]);
    },
    PATIENCE_MS,
  );

  it('shows what a comparison prints', () => {
    const changed = text.replace('max_actions: 3 ', 'max_actions: 30 ').replace('effect: warn', 'effect: hold');
    const changes = diffPolicies(compiled.policy, compilePolicy(changed).policy);
    expect(`${diffInWords(changes)}\n`).toBe(block('text diff'));
  });
});
