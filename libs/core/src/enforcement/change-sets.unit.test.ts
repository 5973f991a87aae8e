// SPDX-License-Identifier: Apache-2.0
import { FirewallScript, verdictOf } from '@clyra/testing/firewall-script';
import type { Step } from '@clyra/testing/fold-script';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import type { JsonObject, JsonValue } from '../canonical/json-value.ts';
import { changeSetDigest } from '../change/change-set-fact.ts';
import { memberToken } from '../grant/grant.ts';
import { changeSetFact } from '../inspection/change-set.ts';
import { compilePolicy } from '../policy/compile-policy.ts';

const EFFECTS = {
  source_id: 'crm',
  relations: ['public.contacts', 'public.orders'],
  operations: ['insert', 'update'],
  rows_max: 10,
  ttl_seconds: 30,
  members: '/set',
};
const ROUTE = { id: 'r', method: 'POST', path: '/r', upstream: 'clyra-grants', effects: EFFECTS };
const TOKEN = 'e'.repeat(32);
const STATEMENT = "update public.contacts set note = 'x' where id = 7";
const MEMBER = { source_id: 'crm', relations: ['public.contacts'], operations: ['update'], rows_max: 1 };
const ORDERS = { ...MEMBER, relations: ['public.orders'], operations: ['insert'], rows_max: 9 };

const policyText = (route: object): string => JSON.stringify({ name: 'p', routes: [route] });
const [compiledRoute] = compilePolicy(policyText(ROUTE)).policy.routes;
if (compiledRoute === undefined) throw new Error('the policy has a route');
const factOf = (set: JsonValue | undefined): ReturnType<typeof changeSetFact>['change_set'] =>
  changeSetFact(compiledRoute, set === undefined ? {} : { set }, TOKEN).change_set;

async function decided(set: JsonValue | undefined): Promise<Step> {
  const script = await FirewallScript.under({ routes: [ROUTE] });
  const fact = factOf(set);
  return script.request(fact === undefined ? {} : { change_set: fact });
}

describe('a change set', () => {
  it('is one decision, with a grant of its own for each member', async () => {
    const { receipt } = await decided([{ ...MEMBER, statement: STATEMENT }, ORDERS]);
    expect(receipt['decision']).toBe('allow');
    const expires = (receipt['decided_at'] as number) + 30_000;
    expect(receipt['grants']).toEqual(
      [MEMBER, ORDERS].map((member, index) => ({
        token_hash: digestOf(memberToken(TOKEN, index)),
        ...member,
        expires_at: expires,
      })),
    );
  });

  it('has a digest that says what is done, in what order, and not under which tokens', () => {
    const set = [{ ...MEMBER, statement: STATEMENT }, ORDERS];
    const entries = factOf(set)?.members.map(({ token_hash: _token, ...entry }) => entry) ?? [];
    expect(entries[0]).toMatchObject({ statement_digest: digestOf(STATEMENT), base_state: null });
    expect(factOf(set)?.digest).toBe(changeSetDigest(entries));
    expect(factOf([{ ...MEMBER, statement_digest: digestOf(STATEMENT) }, ORDERS])?.digest).toBe(factOf(set)?.digest);
    expect(factOf(set.toReversed())?.digest).not.toBe(factOf(set)?.digest);
  });

  it('gives no member what would open another', () => {
    const tokens = [0, 1, 2].map((index) => memberToken(TOKEN, index));
    expect(new Set([TOKEN, ...tokens]).size).toBe(4);
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each<[string, JsonValue | undefined, string]>([
    ['nothing', undefined, 'CLY_CHANGE_SET_MISSING'],
    ['no list', { ...MEMBER }, 'CLY_CHANGE_SET_MISSING'],
    ['no members', [], 'CLY_CHANGE_SET_MISSING'],
    ['too many', Array.from({ length: 33 }, () => MEMBER), 'CLY_CHANGE_SET_SIZE'],
    [
      'too long ones',
      Array.from({ length: 32 }, () => ({ ...MEMBER, relations: longNames(8) })),
      'CLY_CHANGE_SET_SIZE',
    ],
    ['a member that is none', [MEMBER, 'member'], 'CLY_CHANGE_SET_MEMBER'],
    ['an unknown name', [{ ...MEMBER, rows: 1 }], 'CLY_CHANGE_SET_MEMBER'],
    ['an unknown operation', [{ ...MEMBER, operations: ['grant'] }], 'CLY_CHANGE_SET_MEMBER'],
    ['an operation twice', [{ ...MEMBER, operations: ['update', 'update'] }], 'CLY_CHANGE_SET_MEMBER'],
    ['rows that are no number', [{ ...MEMBER, rows_max: '1' }], 'CLY_CHANGE_SET_MEMBER'],
    ['fewer than no rows', [{ ...MEMBER, rows_max: -1 }], 'CLY_CHANGE_SET_MEMBER'],
    [
      'a digest of another statement',
      [{ ...MEMBER, statement: 'x', statement_digest: digestOf('y') }],
      'CLY_CHANGE_SET_MEMBER',
    ],
    ['another source', [{ ...MEMBER, source_id: 'warehouse' }], 'CLY_CHANGE_SET_BEYOND'],
    ['another relation', [{ ...MEMBER, relations: ['public.salaries'] }], 'CLY_CHANGE_SET_BEYOND'],
    ['another operation', [{ ...MEMBER, operations: ['delete'] }], 'CLY_CHANGE_SET_BEYOND'],
    ['more rows together', [ORDERS, MEMBER, MEMBER], 'CLY_CHANGE_SET_BEYOND'],
    ['rows beyond every number', [ORDERS, { ...MEMBER, rows_max: Number.MAX_SAFE_INTEGER }], 'CLY_CHANGE_SET_BEYOND'],
  ])('is blocked as a whole for %s', async (_what, set, code) => {
    const step = await decided(set);
    expect(verdictOf(step)).toBe(`block ${code}`);
    expect(step.receipt['grants']).toBeUndefined();
  });

  it('is blocked where two members share a token, as no intake makes them', async () => {
    const script = await FirewallScript.under({ routes: [ROUTE] });
    const fact = factOf([MEMBER]);
    if (fact === undefined) throw new Error('there is a fact');
    const doubled = { ...fact, members: [...fact.members, ...fact.members] };
    expect(await script.verdict({ change_set: doubled })).toBe('block CLY_CHANGE_SET_BEYOND');
  });

  it('is nothing that a route without one looks for', () => {
    const { members: _members, ...effects } = EFFECTS;
    const [plain] = compilePolicy(policyText({ ...ROUTE, effects })).policy.routes;
    if (plain === undefined) throw new Error('the policy has a route');
    expect(changeSetFact(plain, { set: [MEMBER] }, TOKEN)).toEqual({});
  });
});

describe('a route that answers with grants', () => {
  it.each([
    ['no effects', { ...ROUTE, effects: null }],
    ['review mode', { ...ROUTE, mode: 'review' }],
  ])('is refused with %s', (_what, route) => {
    expect(() => compilePolicy(policyText(route))).toThrow('grants are what a route in mode gate with effects answers');
  });
});

function longNames(count: number): JsonObject[string] {
  return Array.from({ length: count }, (_, index) => `public.${'t'.repeat(60)}${index}`);
}
