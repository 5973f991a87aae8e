// SPDX-License-Identifier: Apache-2.0
import { lintPolicy } from '@clyra/core/policy/compile-policy';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { askAnswers } from './ask-answers.ts';
import { policyText } from './policy-text.ts';
import { DEFAULTS, ROUTE_KINDS, readRoute, type WizardAnswers } from './wizard-answers.ts';

const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,11}$/);
const decimal = fc.stringMatching(/^[1-9][0-9]{0,6}(\.[0-9]{1,2})?$/);
const pointer = fc.stringMatching(/^(\/[a-z_]{1,8}){1,3}$/);
const route = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
  path: fc.tuple(word, fc.boolean()).map(([base, hasPart]) => `/${base}${hasPart ? '/{id}' : ''}`),
  upstream: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,11}$/),
  kind: fc.constantFrom(...ROUTE_KINDS),
});
const answers: fc.Arbitrary<WizardAnswers> = fc.record({
  name: word,
  mode: fc.constantFrom('gate', 'review'),
  routes: fc.uniqueArray(route, {
    minLength: 1,
    maxLength: 6,
    selector: ({ method, path }) => `${method} ${path.split('/')[1]} ${path.includes('{')}`,
  }),
  tenantIn: fc.oneof(fc.constant(''), pointer),
  amount: pointer,
  currency: fc.oneof(fc.constantFrom('EUR', 'USD'), pointer),
  approveAbove: decimal,
  twoAbove: decimal,
  idps: fc.array(fc.constantFrom('login.example.com', 'id.example.org'), { maxLength: 2 }),
  mfa: fc.boolean(),
  perHour: fc.integer({ min: 1, max: 99_999 }),
  breakGlass: fc.boolean(),
});

describe('the wizard', () => {
  it('writes a policy that compiles, whatever was answered', () => {
    fc.assert(
      fc.property(answers, (given) => {
        const { problems, compiled } = lintPolicy(policyText(given));
        expect(problems).toEqual([]);
        expect(compiled?.policy.routes).toHaveLength(given.routes.length);
        expect(new Set(compiled?.policy.routes.map(({ mode }) => mode))).toEqual(new Set([given.mode]));
      }),
      { numRuns: 150 },
    );
  });

  it('puts people before money, batches and deployments, and none before the rest', () => {
    const routes = [
      'POST /refunds/{id} crm money',
      'POST /audiences crm bulk',
      'POST /deploys ci deploy',
      'PUT /notes crm',
    ].map(readRoute);
    const { compiled } = lintPolicy(policyText({ ...DEFAULTS, name: 'p', mode: 'gate', routes }));
    const rules = compiled?.policy.approvals ?? [];
    expect(rules.flatMap((rule) => rule.routes)).toEqual(['refunds.post', 'audiences.post', 'deploys.post']);
    expect(rules[0]).toMatchObject({ mfa: true, grade_min: 2, steps: [{ quorum: 2 }] });
    expect(compiled?.policy.body_storage.keep).toBe('while_held');
    expect(compiled?.policy.break_glass.allowed).toBe(false);
  });

  it('asks again what was typed wrong, takes defaults for nothing, and stops where the input ends', async () => {
    const typed = [
      '',
      'maybe',
      'gate',
      'refunds',
      'POST /refunds crm money',
      '',
      '',
      '',
      'EUR',
      '',
      '',
      '',
      'y',
      'n',
      '10',
    ];
    const said: string[] = [];
    const ask = async () => typed.shift();
    const given = await askAnswers(ask, (line) => said.push(line));
    expect(given).toEqual({
      ...DEFAULTS,
      name: 'my-policy',
      mode: 'gate',
      routes: [readRoute('POST /refunds crm money')],
      currency: 'EUR',
      perHour: 10,
    });
    expect(said.join('\n')).toContain('maybe is not gate or review');
    await expect(
      askAnswers(
        async () => undefined,
        () => {},
      ),
    ).rejects.toMatchObject({ code: 'CLY_CLI_WIZARD_END' });
  });

  it.each(['', 'POST', 'POST refunds crm', 'POST /refunds', 'POST /refunds crm gold', 'POST /refunds crm money now'])(
    'refuses the route "%s"',
    (text) => {
      expect(() => readRoute(text)).toThrow('write METHOD /path upstream');
    },
  );
});
