// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePolicy } from '@clyra/core/policy/compile-policy';
import { describe, expect, it } from '@jest/globals';
import { codeSites } from './reference/code-sites.ts';
import { markdownTable } from './reference/markdown-table.ts';
import { referencePages } from './reference/pages.ts';
import { PLAIN_WORDS } from './reference/plain-words.ts';
import { POLICY_EXAMPLES, wholePolicy } from './reference/policy-examples.ts';
import type { PolicySchema } from './reference/policy-page.ts';
import { isTestFile } from './tidy/finding.ts';
import { parseSource, readSources } from './tidy/read-sources.ts';

const ROOT = join(import.meta.dirname, '../..');
const pages = referencePages(ROOT);

describe('docs/reference', () => {
  it.each(Object.keys(pages))('%s says what the sources say: write it with `make docs`', (name) => {
    expect(readFileSync(join(ROOT, 'docs/reference', name), 'utf8')).toBe(pages[name]);
  });
});

describe('errors.md', () => {
  const product = readSources(ROOT).filter(
    ({ path }) => /^(libs|services|cli|compose|verifiers|packs)\/.*\.ts$/.test(path) && !isTestFile(path),
  );

  it('has every code that a product source gives to somebody', () => {
    const doubles = /^libs\/testing\/|\/(test-support|testing)\//;
    const written = product
      .filter(({ path }) => !doubles.test(path))
      .flatMap(({ text }) =>
        [...text.matchAll(/['"`](CLY_[A-Z0-9]+(?:_[A-Z0-9]+)*)['"`]/g)].map(([, code]) => code ?? ''),
      );
    const codes = [...new Set(written)].sort();
    expect(codes.length).toBeGreaterThan(200);
    expect(codes.filter((code) => !pages['errors.md']?.includes(`\`${code}\``))).toEqual([]);
  });

  it('leaves no code without words, and keeps no words that nobody needs', () => {
    const page = pages['errors.md'] ?? '';
    const wordless = page.split('\n').filter((line) => /^\| `CLY_/.test(line) && line.split(' | ')[2]?.trim() === '');
    expect(wordless).toEqual([]);
    const rows = page.split('\n').filter((line) => line.startsWith('| `CLY_'));
    const unused = Object.entries(PLAIN_WORDS).filter(
      ([code, words]) => !rows.some((row) => row.startsWith(`| \`${code}\` `) && row.includes(words)),
    );
    expect(unused).toEqual([]);
  });

  it('reads an error, a refusal, a finding, and a choice of two', () => {
    const text = `
      const advice = 'restart it';
      throw new ClyraError('CLY_A_LOST', \`\${name} is lost: \${advice}\`, { retry: 'backoff' });
      return refused(two ? 'CLY_A_ONE' : 'CLY_A_TWO', two ? 'first' : 'second');
      failures.add({ claim: 'order', code: 'CLY_A_ORDER', message: 'goes back' });
      if (error.code === 'CLY_A_COMPARED') return;`;
    const sites = codeSites([parseSource('services/x/src/a.ts', text)]);
    const facts = sites.map(({ code, isThrown, message, retry, claim }) => [code, isThrown, message, retry, claim]);
    expect(facts).toEqual([
      ['CLY_A_LOST', true, '… is lost: restart it', 'backoff', undefined],
      ['CLY_A_ONE', false, 'first', undefined, undefined],
      ['CLY_A_TWO', false, 'second', undefined, undefined],
      ['CLY_A_ORDER', false, 'goes back', undefined, 'order'],
    ]);
  });

  it('keeps a cell from breaking its table', () => {
    expect(markdownTable(['a'], [['x | <y>\n`<z>`']])).toBe('| a |\n|---|\n| x \\| &lt;y> `<z>` |\n');
  });
});

const RULE_LISTS = [
  'approvals',
  'people',
  'loop_breaker',
  'cost_caps',
  'sql_safety',
  'detectors',
  'external_detectors',
  'voice',
  'deploy',
  'threat_map',
] as const;

describe('policy.md', () => {
  const schema = JSON.parse(readFileSync(join(ROOT, 'schemas/json/policy.schema.json'), 'utf8')) as PolicySchema;

  it.each(Object.entries(POLICY_EXAMPLES))('has an example of %s that compiles', (section, example) => {
    const { policy } = compilePolicy(wholePolicy(example));
    expect(Object.keys(schema.properties ?? {})).toContain(section);
    expect(policy.name).toBe('example');
  });

  it('has an example for every section', () => {
    const sections = Object.keys(schema.properties ?? {}).filter((name) => name !== 'format' && name !== 'name');
    expect(Object.keys(POLICY_EXAMPLES).sort()).toEqual(sections.sort());
  });

  it('tells the defaults that the compiler puts in', () => {
    const { policy } = compilePolicy(`
name: p
routes:
  - { id: r, method: POST, path: /r, upstream: u }
  - id: e
    method: POST
    path: /e
    upstream: u
    effects: { source_id: s, relations: [public.t], operations: [insert] }
idempotency: [{ routes: [r] }]
rate_limits: [{ id: l, routes: [r], window_seconds: 1, max_actions: 1 }]
approvals: [{ id: a, routes: [r] }]
people: [{ subject: anna }]
kill_switch: [{ id: k, routes: [r], metric: error_rate, threshold: 0.5, window_seconds: 60 }]
loop_breaker: [{ id: b, routes: [r], ping_pong: 3 }]
cost_caps: [{ id: c, routes: [r], amount: /cost, max: 2 }]
sql_safety: [{ id: s, routes: [r], dialect: postgres }]
detectors: [{ id: d, routes: [r], packs: [injection] }]
external_detectors: [{ id: x, routes: [r], endpoint: e }]
voice: [{ id: v, routes: [r] }]
deploy: [{ id: d, routes: [r] }]
lineage: [{ routes: [r], reads: [a] }]
threat_map: [{ code: CLY_SQL_, threat_class: sql }]`);
    const { properties: top, $defs } = schema;
    const route = $defs?.['route'];
    const told: readonly (readonly [PolicySchema | undefined, unknown])[] = [
      [route, policy.routes[0]],
      [route?.properties?.['effects'], policy.routes[1]?.effects],
      [top?.['idempotency']?.items, policy.idempotency[0]],
      [top?.['rate_limits']?.items, policy.rate_limits[0]],
      [top?.['tenant_fences'], policy.tenant_fences],
      ...RULE_LISTS.map((name) => [top?.[name]?.items, policy[name][0]] as const),
      [$defs?.['trigger'], policy.kill_switch[0]],
      [top?.['break_glass'], policy.break_glass],
      [top?.['body_storage'], policy.body_storage],
    ];
    const compared = told.flatMap(([section, compiled]) =>
      Object.entries(section?.properties ?? {})
        .filter(([, member]) => 'default' in member)
        .map(([name, member]) => [name, member.default, (compiled as Record<string, unknown>)[name]] as const),
    );
    expect(compared.length).toBe(62);
    for (const [name, inSchema, inPolicy] of compared) expect([name, inPolicy]).toEqual([name, inSchema]);
    expect(policy.routes[0]?.mode).toBe(top?.['mode']?.default);
  });
});
