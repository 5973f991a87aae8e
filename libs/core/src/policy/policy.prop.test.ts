// SPDX-License-Identifier: Apache-2.0
import { describe, it } from '@jest/globals';
import * as fc from 'fast-check';
import { RouteTable } from '../inspection/route-table.ts';
import { compilePolicy } from './compile-policy.ts';
import { loadPolicy } from './load-policy.ts';
import type { Policy } from './policy.ts';
import { PolicyError } from './policy-problem.ts';
import { templatesOverlap } from './route-template.ts';

const segment = fc.constantFrom('a', 'b', 'v1', '{id}', '{name}');
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
const route = fc.record({
  id: fc.stringMatching(/^[a-z][a-z0-9.]{0,8}$/),
  method: fc.constantFrom('GET', 'POST'),
  path,
  upstream: fc.constant('crm'),
  mode: fc.constantFrom('gate', 'review'),
});
const policyInput = fc.record(
  {
    name: fc.stringMatching(/^[a-z]{1,12}$/),
    mode: fc.constantFrom('gate', 'review'),
    routes: fc.array(route, { maxLength: 6 }),
    rate_limits: fc.array(
      fc.record({
        id: fc.stringMatching(/^[a-z]{1,6}$/),
        routes: fc.constant(['*']),
        key: fc.oneof(
          fc.constantFrom('actor', 'tenant', 'route'),
          fc.record({ body: fc.constantFrom('/a', '/a/0', '/~0x') }),
        ),
        window_seconds: fc.integer({ min: 1, max: 86_400 }),
        max_actions: fc.integer({ min: 1, max: 100_000 }),
      }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ['name'] },
);

function tryCompile(text: string) {
  try {
    return compilePolicy(text);
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
}

describe('policies', () => {
  it('compile to a fixed point: what was compiled reads and compiles as itself', () => {
    fc.assert(
      fc.property(policyInput, (input) => {
        const compiled = tryCompile(JSON.stringify(input));
        if (compiled instanceof PolicyError) return;
        const again = compilePolicy(Buffer.from(compiled.bytes).toString('utf8'));
        const loaded = loadPolicy(compiled.bytes, compiled.digest);
        if (again.digest !== compiled.digest || loaded.digest !== compiled.digest) throw new Error('digests differ');
      }),
    );
  });

  it('never fail in another way than with a list of problems, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        const result = tryCompile(text);
        if (result instanceof PolicyError && result.problems.length === 0)
          throw new Error('a refusal without a problem');
      }),
    );
  });

  it('match at most one route, and are refused exactly where some path would match two', () => {
    const paths = ['/a', '/b', '/a/b', '/b/a', '/a/a', '/v1/a/b', '/v1/b/b/x', '/a/b/a/b'];
    fc.assert(
      fc.property(fc.uniqueArray(route, { maxLength: 5, selector: ({ id }) => id }), (routes) => {
        const overlaps = routes.some((one, index) =>
          routes.slice(0, index).some((other) => templatesOverlap(one, other)),
        );
        const compiled = tryCompile(JSON.stringify({ name: 'x', routes }));
        if (compiled instanceof PolicyError !== overlaps) throw new Error('overlap and refusal differ');
        if (compiled instanceof PolicyError) return;
        const table = new RouteTable(compiled.policy);
        for (const each of paths) {
          const naive = naiveMatches(compiled.policy, each);
          if (naive.length > 1) throw new Error(`${each} matches ${naive.length} routes`);
          if (table.match('GET', each)?.id !== naive[0]) throw new Error(`${each} is matched otherwise`);
        }
      }),
    );
  });
});

function naiveMatches(policy: Policy, target: string): string[] {
  const fitting = policy.routes.filter((each) => {
    const pattern = each.path.replaceAll(/\{[a-z]+\}/g, '[^/]+');
    return each.method === 'GET' && new RegExp(`^${pattern}$`).test(target);
  });
  return fitting.map((each) => each.id);
}
