// SPDX-License-Identifier: Apache-2.0
import { activationBody, activations } from '@clyra/scenario-activation/payloads';
import { DEMO_TENANT } from './demo-world.ts';
import type { Change } from './gateway-sender.ts';

export type Verdict = 'allowed' | 'blocked' | 'held';

/** What is sent under one name, one after the other where the order matters. */
export type Batch = {
  readonly name: string;
  readonly changes: readonly Change[];
  /** At once, as many as this. */
  readonly concurrency: number;
};

const CONCURRENCY = 16;

/** The main job's traffic: the real payloads, SQL (`more`: statements besides), and one of each thing that must not pass. */
export function traffic(runId: string, more: readonly string[] = []): readonly Batch[] {
  const actor = `sync-${runId}`;
  const payloads = activations();
  const sync = (index: number, idempotencyKey = `${runId}-${index}`): Change => {
    const activation = payloads[index] ?? { event: 'none', record: {} };
    const body = activationBody(DEMO_TENANT, activation);
    return { target: `/activations/${activation.event}`, body, actor, runId, idempotencyKey };
  };
  const refund = (index: number): Change => ({
    target: '/refunds',
    body: JSON.stringify({ tenant: DEMO_TENANT, payee: 'P-1007', amount_cents: 1_250 + index, currency: 'EUR' }),
    actor,
    runId,
    idempotencyKey: `${runId}-refund-${index}`,
  });
  const statement = (sql: string, index: number): Change => ({
    target: '/sql',
    body: JSON.stringify({ tenant: DEMO_TENANT, sql }),
    actor,
    runId,
    idempotencyKey: `${runId}-sql-${index}`,
  });
  const one = (name: string, change: Change): Batch => ({ name, changes: [change], concurrency: 1 });
  const broken = JSON.stringify({ tenant: DEMO_TENANT, event: 'issues', record: 'not an object' });
  const audience = JSON.stringify({ tenant: DEMO_TENANT, name: 'high-risk accounts', size: 40_000 });
  return [
    {
      name: 'real SaaS payloads as activation syncs',
      changes: payloads.map((_, index) => sync(index)),
      concurrency: CONCURRENCY,
    },
    { name: 'refunds within the cap', changes: [refund(1), refund(2)], concurrency: 1 },
    { name: 'SQL on the accounts', changes: [...statementsOf(runId), ...more].map(statement), concurrency: 1 },
    one('a refund over the velocity cap', refund(3)),
    one('a repeated idempotency key', sync(0)),
    one('another tenant in the header', { ...sync(1, `${runId}-fence`), tenant: 'globex' }),
    one('a payload that breaks its schema', {
      ...sync(2, `${runId}-schema`),
      target: '/activations/issues',
      body: broken,
    }),
    one('an audience push that needs approval', {
      target: '/audiences',
      body: audience,
      actor,
      runId,
      idempotencyKey: `${runId}-audience`,
    }),
  ];
}

/** Determined by what is there before them and by nothing else. */
function statementsOf(runId: string): readonly string[] {
  return [
    `insert into accounts (run, name, plan, balance_cents) values ('${runId}', 'Ada', 'free', 1250), ('${runId}', 'Bob', 'team', 99000)`,
    `update accounts set plan = 'team', balance_cents = balance_cents - 500 where run = '${runId}' and balance_cents > 1000`,
    `update accounts set plan = 'free' where run = '${runId}' and name = 'Bob'`,
  ];
}
