// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { compilePolicy, lintPolicy } from './compile-policy.ts';
import { diffPolicies } from './diff-policies.ts';
import { loadPolicy } from './load-policy.ts';
import { PolicyError, problemLine } from './policy-problem.ts';

const FOLDER = new URL('../../../../packs/policies/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.overlay.yaml'));
const text = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');
const RISK = { name: 'genai_risk', text: text('genai_risk.overlay.yaml') };

const BASE = `
name: shop
schemas: { refund: { type: object } }
routes:
  - { id: refunds.create, method: POST, path: /refunds, upstream: shop, schema: refund }
  - { id: refunds.change, method: PUT, path: "/refunds/{id}", upstream: shop, schema: refund }
  - { id: limits.set, method: PUT, path: "/limits/{id}", upstream: shop, schema: refund }
idempotency: [{ routes: [refunds.create], required: false, ttl_seconds: 60, mode: retry_failed }]
`;

describe('overlays', () => {
  it('are each a whole one that any policy can take', () => {
    expect(FILES.length).toBeGreaterThanOrEqual(5);
    for (const name of FILES) {
      const overlay = { name: name.split('.', 1)[0] ?? '', text: text(name) };
      const { compiled, problems } = lintPolicy(BASE, [overlay]);
      expect(problems.map(problemLine)).toEqual([]);
      expect(compiled).toBeDefined();
      expect(() => compilePolicy('name: empty', [overlay])).not.toThrow();
    }
  });

  it('put the risk overlay of the product page on a policy, rule by rule', () => {
    const { policy, digest, bytes } = compilePolicy(BASE, [RISK]);
    expect(policy.idempotency).toEqual([
      { routes: ['refunds.create', 'refunds.change'], required: true, ttl_seconds: 3_600, mode: 'single_use' },
      { routes: ['limits.set'], required: true, ttl_seconds: 1_800, mode: 'single_use' },
    ]);
    expect(policy.rate_limits).toEqual([
      {
        id: 'genai_risk/rate_limits/0',
        routes: ['refunds.create', 'refunds.change'],
        key: 'actor',
        window_seconds: 300,
        max_actions: 5,
        amount: { value: '/amount_cents', currency: '/currency' },
        max_amount: { '*': '100000' },
      },
    ]);
    expect(policy.tenant_fences).toMatchObject({
      cross_check: true,
      required_headers: ['x-tenant-id', 'x-actor-id'],
      privacy: 'hash_ids',
    });
    expect(policy.kill_switch).toMatchObject([
      {
        routes: ['*'],
        metric: 'error_rate',
        threshold: '0.1',
        window_seconds: 60,
        scope: 'run',
        ttl_seconds: 300,
        min_count: 20,
      },
    ]);
    expect(loadPolicy(bytes, digest).policy).toEqual(policy);
  });

  it('remark on a pattern that covers no route, and tell the place of a fault in their own file', () => {
    const { remarks } = lintPolicy('name: a\nroutes: [{ id: r, method: GET, path: /x, upstream: u }]', [RISK]);
    expect(remarks.map(problemLine).filter((line) => line.startsWith('genai_risk:'))).toHaveLength(3);
    const broken = {
      name: 'mine',
      text: 'enforcement:\n  rate_limits:\n    - { route: "/x", window: 0, max_actions: 1, colour: red }\n  rate: []',
    };
    const { problems } = lintPolicy(BASE, [broken]);
    expect(problems.map(problemLine)).toEqual([
      expect.stringContaining('mine:3:22 /enforcement/rate_limits/0/window'),
      expect.stringContaining('mine:3:49 /enforcement/rate_limits/0/colour'),
      expect.stringContaining('mine:4:3 /enforcement/rate'),
    ]);
  });

  it('only tighten', () => {
    const before = compilePolicy(BASE).policy;
    for (const name of FILES) {
      const { policy } = compilePolicy(BASE, [{ name: 'o', text: text(name) }]);
      expect(diffPolicies(before, policy).filter(({ effect }) => effect === 'widens')).toEqual([]);
    }
  });
});

describe('lint', () => {
  const remarks = (more: string): string[] => lintPolicy(`${BASE}${more}`).remarks.map(problemLine);

  it.each([
    [
      'a limit that another reaches first',
      'rate_limits: [{ id: a, routes: [limits.set], window_seconds: 60, max_actions: 9 }, { id: b, routes: "*", window_seconds: 60, max_actions: 5 }]',
      '9:15 /rate_limits/0: shadowed: b',
    ],
    [
      'a step that asks for no more',
      'approvals: [{ id: a, routes: "*", quorum: 2, amount: /a, steps: [{ above: 5, quorum: 2 }] }]',
      'can never matter',
    ],
    [
      'a step below what is approved',
      'approvals: [{ id: a, routes: "*", amount: /a, only_above: 100, steps: [{ above: 5, quorum: 2 }] }]',
      'below only_above',
    ],
    ['a break-glass that is open', 'break_glass: { allowed: true }', 'wide: one operator'],
    ['fences that compare nothing', 'tenant_fences: { cross_check: false }', 'wide: tenants and actors'],
    [
      'SQL that is not blocked',
      'sql_safety: [{ id: s, routes: "*", dialect: mysql, on_unsafe: warn }]',
      'wide: unsafe',
    ],
    [
      'a detector that may be away',
      'external_detectors: [{ id: x, routes: "*", endpoint: e, on_outage: { timeout: shadow } }]',
      'wide: requests pass during timeout',
    ],
  ])('finds %s', (_name, more, words) => {
    expect(remarks(more).join('\n')).toContain(words);
  });

  it('finds schemas that nobody uses, and routes that check little', () => {
    const { remarks: found } = lintPolicy(
      'name: a\nschemas: { s: { type: object } }\nroutes: [{ id: r, method: POST, path: /x, upstream: u }]',
    );
    expect(found.map(problemLine)).toEqual([
      '2:12 /schemas/s: no route uses this schema',
      expect.stringContaining('3:10 /routes/0: wide: bodies'),
      expect.stringContaining('3:10 /routes/0: wide: a repeated request'),
    ]);
  });

  it('refuses a hostile file with its line, and soon', () => {
    const bomb = `name: a\na: &a [x, x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
      .split('')
      .map(
        (name, index) => `${name}: &${name} [${Array.from({ length: 10 }, () => `*${'abcdefgh'[index]}`).join(', ')}]`,
      )
      .join('\n')}\nroutes: *h\n`;
    const started = performance.now();
    for (const hostile of [bomb, `name: ${'a'.repeat(10_485_760)}`, `name: a\nx: ${'['.repeat(5_000)}`]) {
      const { problems } = lintPolicy(hostile);
      expect(problems.length).toBeGreaterThan(0);
      expect(problems[0]?.place?.line).toBeGreaterThan(0);
    }
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(() => compilePolicy(bomb)).toThrow(PolicyError);
    const slow = lintPolicy('name: a\nschemas:\n  s: { type: string, pattern: "^(a+)+$" }');
    expect(slow.problems.map(problemLine)).toEqual([
      expect.stringContaining('3:22 /schemas/s/pattern: the pattern can take very long'),
    ]);
  });
});

describe('diffPolicies', () => {
  it('says in which direction each rule goes', () => {
    const limits = (max: number, mode: string): string =>
      `${BASE}rate_limits: [{ id: l, routes: "*", window_seconds: 60, max_actions: ${max} }]\napprovals: [{ id: a, routes: "*", mfa: ${mode} }]`;
    const before = compilePolicy(limits(5, 'true')).policy;
    expect(diffPolicies(before, compilePolicy(limits(6, 'false')).policy)).toEqual([
      { what: 'rate_limits/l', change: 'changed', effect: 'widens', members: ['max_actions'] },
      { what: 'approvals/a', change: 'changed', effect: 'widens', members: ['mfa'] },
    ]);
    expect(diffPolicies(before, compilePolicy(BASE).policy).map(({ what, effect }) => `${what} ${effect}`)).toEqual([
      'rate_limits/l widens',
      'approvals/a widens',
    ]);
    expect(diffPolicies(before, before)).toEqual([]);
  });
});
