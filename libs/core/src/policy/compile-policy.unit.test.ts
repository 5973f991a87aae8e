// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { compilePolicy } from './compile-policy.ts';
import { loadPolicy } from './load-policy.ts';
import { EMPTY_POLICY } from './policy.ts';
import { PolicyError } from './policy-problem.ts';

const POLICY = `
name: payments
mode: review
schemas:
  refund:
    type: object
    additionalProperties: false
    required: [amount]
    properties: { amount: { type: integer, minimum: 1 } }
routes:
  - { id: refunds.create, method: POST, path: "/v1/refunds/{id}", upstream: crm, schema: refund, mode: gate }
  - id: notes.put
    method: PUT
    path: /v1/notes
    upstream: crm
    effects: { source_id: crm, relations: [public.notes], operations: [insert] }
idempotency:
  - routes: [refunds.create]
rate_limits:
  - { id: all, routes: "*", window_seconds: 60, max_actions: 5 }
  - { id: payee, routes: [refunds.create], key: { body: /payee }, window_seconds: 60, max_actions: 5 }
guarded:
  - { source_id: crm, relations: [public.notes] }
`;

function problemsOf(text: string): string[] {
  try {
    compilePolicy(text);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.problems.map(({ place, pointer, message }) => `${place?.line}:${place?.column} ${pointer} ${message}`);
  }
  return [];
}

describe('compilePolicy', () => {
  it('makes every default explicit', () => {
    const { policy } = compilePolicy(POLICY);
    expect(policy.routes).toMatchObject([
      { id: 'refunds.create', mode: 'gate', schema: 'refund', effects: null },
      { id: 'notes.put', mode: 'review', schema: null, effects: { rows_max: 1, ttl_seconds: 60 } },
    ]);
    expect(policy.idempotency).toEqual([
      { routes: ['refunds.create'], required: true, ttl_seconds: 86_400, mode: 'single_use' },
    ]);
    expect(policy.rate_limits.map((rule) => rule.key)).toEqual(['actor', { body: '/payee' }]);
    expect(policy.tenant_fences).toEqual(EMPTY_POLICY.tenant_fences);
    expect(compilePolicy('name: a').policy).toMatchObject({ routes: [], approvals: [], guarded: [] });
  });

  it('closes routes by default: gate unless the policy says review', () => {
    const text = 'name: a\nroutes: [{ id: r, method: GET, path: /x, upstream: u }]';
    expect(compilePolicy(text).policy.routes[0]?.mode).toBe('gate');
  });

  it('has a digest that depends on the meaning and not on the text', () => {
    const compiled = compilePolicy(POLICY);
    expect(compiled.digest).toBe(digestOf(compiled.bytes));
    expect(compilePolicy(`# a comment\n${POLICY.replace('name: payments', 'name: "payments"')}`).digest).toBe(
      compiled.digest,
    );
    expect(compilePolicy(POLICY.replace('minimum: 1', 'minimum: 2')).digest).not.toBe(compiled.digest);
  });

  it('lists all problems at once with their places', () => {
    const problems = problemsOf(`
name: 1
extra: 2
schemas: { a: { type: objectt }, b: { type: string, pattern: "(" }, c: { $ref: "http://x/y" } }
routes:
  - { id: a, method: GET, path: "/x/{id}", upstream: u, schema: nope }
  - { id: a, method: GET, path: "/x/y", upstream: u, colour: red }
  - { id: c, method: FETCH, path: "/../y", upstream: U }
idempotency: [{ routes: [a] }, { routes: "*" }]
rate_limits: [{ id: r, routes: [zz], window_seconds: 0, key: payee }]
`);
    const places = problems.map((problem) => problem.split(' ').slice(0, 2).join(' '));
    expect(places).toEqual(
      expect.arrayContaining([
        '2:1 /name',
        '3:1 /extra',
        '4:12 /schemas/a',
        '6:57 /routes/0/schema',
        '7:7 /routes/1/id',
        '7:27 /routes/1/path',
        '7:54 /routes/1/colour',
        '8:14 /routes/2/method',
        '8:29 /routes/2/path',
        '8:44 /routes/2/upstream',
        '9:34 /idempotency/1/routes',
        '10:33 /rate_limits/0/routes/0',
        '10:38 /rate_limits/0/window_seconds',
        '10:57 /rate_limits/0/key',
      ]),
    );
    const lines = places.map((place) => Number(place.split(':')[0]));
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
  });

  it.each([
    ['no YAML', 'name: [', 'Flow sequence'],
    ['two documents', 'name: a\n---\nname: b', 'multiple documents'],
    ['a key twice', 'name: a\nname: b', 'unique'],
    ['an unknown tag', 'name: !secret a', 'tag'],
    [
      'infinity',
      'name: a\nrate_limits: [{ id: r, routes: "*", window_seconds: .inf, max_actions: 1 }]',
      'write a text',
    ],
    ['a key that is no text', 'name: a\n1: b', 'a key is a text'],
    [
      'a huge integer',
      'name: a\nrate_limits: [{ id: r, routes: "*", window_seconds: 1, max_actions: 9007199254740993 }]',
      'beyond',
    ],
    ['a long pattern', `name: a\nschemas: { s: { type: string, pattern: "${'a'.repeat(300)}" } }`, 'longer than 256'],
    ['a schema that promises', 'name: a\nschemas: { s: { $async: true, type: string } }', '$async is not allowed'],
    ['a schema elsewhere', 'name: a\nschemas: { s: { $ref: "other.json" } }', 'stays inside its schema'],
    ['an unknown format', 'name: a\nschemas: { s: { type: string, format: shoe-size } }', 'unknown format'],
    ['an unknown keyword', 'name: a\nschemas: { s: { type: string, minLenght: 3 } }', 'minLenght'],
    ['a schema without a type', 'name: a\nschemas: { s: { properties: { a: { type: string } } } }', 'type "object"'],
    ['no list of routes', 'name: a\nroutes: { id: r }', 'write a list'],
    ['another format', 'format: clyra/policy/v1\nname: a', 'clyra/policy/v0'],
  ])('refuses %s', (_, text, words) => {
    expect(problemsOf(text).join('\n')).toContain(words);
  });

  it('refuses an alias bomb in bounded time', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) =>
        `l${level}: &l${level} [${Array(10)
          .fill(level === 0 ? 'x' : `*l${level - 1}`)
          .join(', ')}]`,
    );
    expect(problemsOf(`name: a\n${levels.join('\n')}`).join()).toContain('over 50000 values');
  });

  it('refuses a text over 1 MiB before it parses it', () => {
    expect(problemsOf(`name: a\n# ${'x'.repeat(1_048_576)}`)).toHaveLength(1);
  });

  it('has at most 16 rate limits on a route', () => {
    const rules = Array.from(
      { length: 17 },
      (_, index) => `  - { id: r${index}, routes: "*", window_seconds: 1, max_actions: 1 }`,
    );
    const route = 'routes: [{ id: r, method: GET, path: /x, upstream: u }]';
    expect(problemsOf(`name: a\n${route}\nrate_limits:\n${rules.join('\n')}`).join()).toContain('more than 16');
    expect(problemsOf(`name: a\n${route}\nrate_limits:\n${rules.slice(1).join('\n')}`)).toEqual([]);
  });
});

describe('what must fit into one record', () => {
  const route = 'routes: [{ id: r, method: GET, path: /x, upstream: u }]';

  it('has at most 16 approvals on a route', () => {
    const rules = Array.from({ length: 17 }, (_, index) => `  - { id: r${index}, routes: "*" }`);
    expect(problemsOf(`name: a\n${route}\napprovals:\n${rules.join('\n')}`).join()).toContain('more than 16');
    expect(problemsOf(`name: a\n${route}\napprovals:\n${rules.slice(1).join('\n')}`)).toEqual([]);
  });

  it('grants at most 128 relations', () => {
    const granting = (count: number): string => {
      const relations = Array.from({ length: count }, (_, index) => `public.t${index}`).join(', ');
      const effects = `{ source_id: s, relations: [${relations}], operations: [insert] }`;
      return `name: a\nroutes: [{ id: r, method: GET, path: /x, upstream: u, effects: ${effects} }]`;
    };
    expect(problemsOf(granting(129)).join()).toContain('at most 128');
    expect(problemsOf(granting(128))).toEqual([]);
  });
});

describe('loadPolicy', () => {
  it('reads back what the compiler wrote', () => {
    const compiled = compilePolicy(POLICY);
    const loaded = loadPolicy(compiled.bytes, compiled.digest);
    expect(Buffer.from(loaded.bytes).equals(compiled.bytes)).toBe(true);
    expect(JSON.stringify(loaded.policy)).toContain('refunds.create');
  });

  it('refuses other bytes than the digest names', () => {
    const { bytes, digest } = compilePolicy(POLICY);
    const changed = Buffer.from(Buffer.from(bytes).toString('utf8').replace('"gate"', '"review"'));
    expect(() => loadPolicy(changed, digest)).toThrow(expect.objectContaining({ code: 'CLY_POLICY_DIGEST' }));
  });

  it('refuses a policy that the compiler would not have written, even under its own digest', () => {
    const text = Buffer.from(compilePolicy(POLICY).bytes).toString('utf8');
    const forged = [
      text.replace('"required":true', '"required":1'),
      text.replace('"mode":"gate",', ''),
      ` ${text}`,
      text.replace('"name":"payments"', '"name":"payments","name":"other"'),
    ];
    for (const each of forged) {
      expect(each).not.toBe(text);
      const bytes = Buffer.from(each);
      expect(() => loadPolicy(bytes, digestOf(bytes))).toThrow(/CLY_|correct these places|stands twice/);
    }
  });
});
