// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { compilePolicy } from './compile-policy.ts';

const schema = JSON.parse(
  readFileSync(new URL('../../../../schemas/json/policy.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv2020({ strict: false }).compile(schema);

const FULL = {
  name: 'p',
  mode: 'review',
  schemas: { s: { type: 'object' } },
  routes: [
    {
      id: 'r',
      method: 'POST',
      path: '/a/{id}',
      upstream: 'u',
      schema: 's',
      effects: { source_id: 'c', relations: ['public.t'], operations: ['insert'] },
    },
  ],
  idempotency: [{ routes: '*' }],
  rate_limits: [{ id: 'l', routes: ['r'], key: { body: '/a' }, window_seconds: 1, max_actions: 1 }],
  approvals: [{ id: 'a', routes: ['r'] }],
  guarded: [{ source_id: 'c', relations: ['public.t'] }],
};

const compiles = (document: object): boolean => {
  try {
    compilePolicy(JSON.stringify(document));
    return true;
  } catch {
    return false;
  }
};

describe('the policy schema for editors', () => {
  it.each([
    [FULL],
    [{ name: 'p' }],
    [compiledForm()],
    [{}],
    [{ ...FULL, extra: 1 }],
    [{ ...FULL, mode: 'off' }],
    [{ ...FULL, routes: [{ ...FULL.routes[0], colour: 1 }] }],
    [{ ...FULL, rate_limits: [{ ...FULL.rate_limits[0], window_seconds: 0 }] }],
    [{ ...FULL, rate_limits: [{ ...FULL.rate_limits[0], key: 'payee' }] }],
    [{ ...FULL, routes: [{ ...FULL.routes[0], adapter: 'segment' }] }],
    [{ ...FULL, routes: [{ ...FULL.routes[0], adapter: 'generic', batch: 'whole' }] }],
    [{ ...FULL, routes: [{ ...FULL.routes[0], adapter: 'braze' }] }],
    [{ ...FULL, routes: [{ ...FULL.routes[0], batch: 'each' }] }],
    [{ ...FULL, idempotency: [{ routes: [] }] }],
    [{ ...FULL, guarded: [{ source_id: 'c', relations: ['t'] }] }],
    [{ ...FULL, routes: [{ ...FULL.routes[0], effects: { ...FULL.routes[0]?.effects, members: '/members' } }] }],
    [{ ...FULL, routes: [{ ...FULL.routes[0], effects: { ...FULL.routes[0]?.effects, members: 'members' } }] }],
  ])('agrees with the compiler on %j', (document) => {
    expect(validate(document)).toBe(compiles(document));
  });
});

function compiledForm(): object {
  return JSON.parse(Buffer.from(compilePolicy(JSON.stringify(FULL)).bytes).toString('utf8')) as object;
}
