// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { compilePolicy } from '@clyra/core/policy/compile-policy';
import { lintAdapters } from '@clyra/core/policy/lint-adapters';
import { describe, expect, it } from '@jest/globals';
import { parseActivation } from './activation-file.ts';

const guide = readFileSync(new URL('../../../../docs/guides/activation.md', import.meta.url), 'utf8');

function snippet(language: string): string {
  return new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(guide)?.[1] ?? '';
}

describe('docs/guides/activation.md', () => {
  it('shows a file and a policy that are accepted as they stand and fit each other', () => {
    const { sources, destinations } = parseActivation(Buffer.from(snippet('json')));
    const { policy } = compilePolicy(snippet('yaml'));
    expect([...sources.keys()]).toEqual(['touch', 'rudder', 'segment', 'erp']);
    expect(policy.routes.map(({ upstream }) => destinations.has(upstream))).toEqual([true, true, true]);
    expect(lintAdapters(policy)).toEqual([]);
  });

  it('is warned about routes that refuse everything, or forget what comes again too soon', () => {
    const { policy } = compilePolicy(snippet('yaml'));
    const [rule] = policy.idempotency;
    const without = lintAdapters({ ...policy, idempotency: [] });
    expect(without.map(({ pointer }) => pointer)).toEqual(policy.routes.map((_, index) => `/routes/${index}/adapter`));
    const short = lintAdapters({
      ...policy,
      idempotency: [{ ...rule, ttl_seconds: 3_600 } as NonNullable<typeof rule>],
    });
    expect(short.map(({ pointer }) => pointer)).toEqual(['/idempotency/0', '/idempotency/0', '/idempotency/0']);
  });
});
