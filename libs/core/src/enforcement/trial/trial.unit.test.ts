// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { SCRIPT_POLICY } from '@clyra/testing/fold-script';
import { History } from '@clyra/testing/history';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../canonical/digest.ts';
import { compilePolicy } from '../../policy/compile-policy.ts';
import type { DecidedBody } from '../receipt-body.ts';
import { readCases } from './case-table.ts';
import { explainRoute } from './explain-route.ts';
import { type ReplayRecord, replayJournal } from './replay-journal.ts';
import { runCases } from './run-cases.ts';

const pack = (name: string): string => readFileSync(new URL(`../../../../../packs/${name}`, import.meta.url), 'utf8');
const SHOP = compilePolicy(pack('scenarios/activation/policy.yaml'));

describe('policy test', () => {
  it('runs the table of the demonstration policy', () => {
    // Core has no SQL parsers: with them the whole table runs in the command line's tests.
    const cases = readCases(pack('scenarios/activation/cases.yaml')).filter(({ when }) => when.target !== '/sql');
    const { results, untouched } = runCases(SHOP, cases);
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(22);
    expect(untouched).toEqual(['routes/accounts.sql', 'rate_limits/activations-per-actor', 'sql_safety/accounts-sql']);
  });

  it('blocks what nobody could look into, and says so of a failure also where the case names no codes', () => {
    const table =
      "cases:\n  - { name: s, when: { target: /sql, key: a, body: { tenant: acme, sql: 'select 1' } }, then: { decision: allow } }\n";
    expect(runCases(SHOP, readCases(table)).results).toMatchObject([
      { passed: false, found: 'block CLY_SQL_NOT_CHECKED' },
    ]);
  });

  it('says which case fails, where, and what was found', () => {
    const cases = readCases(
      'cases:\n  - name: closed\n    when: { target: /nowhere }\n    then: { decision: allow, codes: [] }\n',
    );
    expect(runCases(SHOP, cases).results).toEqual([
      { name: 'closed', line: 2, passed: false, expected: 'allow', found: 'block CLY_ROUTE_UNKNOWN' },
    ]);
  });

  it('lets people approve what is held', () => {
    const table = `
defaults: { audience: { target: /audiences, body: { tenant: acme, name: big, size: 4 } } }
cases:
  - name: approved
    when: { request: audience, key: a, approvals: 1 }
    then: { decision: allow, codes: [CLY_APPROVAL_REQUIRED] }
`;
    expect(runCases(SHOP, readCases(table)).results).toMatchObject([{ passed: true }]);
  });

  it('takes requests to a route for deliveries as deliveries', () => {
    const policy = compilePolicy(`
name: deliveries
routes: [{ id: events, method: POST, path: /events, upstream: crm, adapter: segment }]
idempotency: [{ routes: [events] }]
`);
    const table = `
cases:
  - name: delivered
    when: { target: /events, key: a, body: { messageId: a } }
    then: { decision: allow, codes: [] }
`;
    expect(runCases(policy, readCases(table)).results).toMatchObject([{ passed: true }]);
  });

  it('names every fault of a table with its line', () => {
    const table = 'cases:\n  - name: a\n    when: { request: nope, colour: red }\n    then: { decision: maybe }\n';
    expect(() => readCases(table)).toThrow(
      /3:13 .*no defaults[\s\S]*3:28 .*unknown key[\s\S]*4:13 .*allow, hold, block/,
    );
  });
});

describe('policy explain', () => {
  it('lists the rules that hold on the route of a request', () => {
    const explained = explainRoute(SHOP.policy, 'POST', '/refunds');
    expect(explained?.route.id).toBe('refunds.create');
    expect(explained?.rules.map(({ section, id }) => `${section}/${id}`)).toEqual([
      'idempotency/',
      'rate_limits/refunds-per-actor',
    ]);
    expect(explainRoute(SHOP.policy, 'DELETE', '/refunds')).toBeUndefined();
  });
});

describe('policy replay', () => {
  async function journal(): Promise<ReplayRecord[]> {
    const history = await new History().open();
    const velocity = [{ rule: 'refunds', key_digest: digestOf('actor') }];
    const none = { id: null, verdict: 'not_required', errors: [] } as const;
    for (let count = 0; count < 4; count += 1) {
      await history.request({ route: 'refunds.create', schema: none, velocity });
    }
    await history.outcome((await history.request()).folded.eventId);
    await history.request({ route: 'audiences.push', schema: none });
    return history.lines().flatMap((line): ReplayRecord[] => {
      if (line.kind !== 'decided') return [];
      const body = line.receipt.body as DecidedBody;
      const decided = body.kind === 'decided';
      return [
        {
          change: line.change.body,
          appendTimeMs: line.appendTimeMs,
          decision: decided ? body.decision : undefined,
          codes: decided ? body.reasons.map(({ code }) => code) : [],
        },
      ];
    });
  }

  it('changes nothing under the same policy', async () => {
    const replay = replayJournal(SCRIPT_POLICY, await journal());
    expect(replay).toEqual({ requests: 6, same: 6, uncertain: 0, changed: [] });
  });

  it('lists what another policy decides otherwise, and what it cannot know', async () => {
    const [limit] = SCRIPT_POLICY.rate_limits;
    if (limit === undefined) throw new Error('the script’s policy has a rate limit');
    const stricter = { ...SCRIPT_POLICY, rate_limits: [{ ...limit, max_actions: 1 }], approvals: [] };
    const { changed, same } = replayJournal(stricter, await journal());
    expect(same).toBe(3);
    expect(changed.map(({ was, now }) => `${was} ${now}`)).toEqual(['allow block', 'allow block', 'hold allow']);
    const byPayee = { ...SCRIPT_POLICY, rate_limits: [{ ...limit, id: 'payee', key: { body: '/payee' } }] };
    expect(replayJournal(byPayee, await journal()).uncertain).toBe(4);
  });
});
