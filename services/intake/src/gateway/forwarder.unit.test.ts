// SPDX-License-Identifier: Apache-2.0
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import { realClock } from '@clyra/testing/real-clock';
import { describe, expect, it } from '@jest/globals';
import type { OutcomeReport } from '../log/outcome-queue.ts';
import { problemOf } from '../test-support/intake-world.ts';
import { Forwarder, type Forwarding } from './forwarder.ts';
import { RequestHeaders } from './request-headers.ts';

function setting(stopped: { readonly scope?: string; readonly gone?: boolean }) {
  const reports: OutcomeReport[] = [];
  const forwarded: string[] = [];
  const forwarder = new Forwarder({
    clock: realClock,
    directory: { engagedSwitch: () => stopped.scope } as never,
    outcomes: { report: (report: OutcomeReport) => reports.push(report) } as never,
    upstream: {
      has: () => true,
      forward: async (name) => {
        forwarded.push(name);
        return { kind: 'answered', status: 200, headers: {}, body: new Uint8Array() };
      },
    },
  });
  const forwarding = {
    exchange: {
      request: {
        method: 'POST',
        target: '/x',
        headers: new RequestHeaders([]),
        client: { isGone: () => stopped.gone === true, onGone: () => {} },
      },
      caller: { actor: 'bot', credential: { tenant: 'acme' } },
      body: { bytes: new Uint8Array() },
    },
    attempt: {
      tenant: { tenant: 'acme' },
      route: { id: 'r', upstream: 'crm' },
      change: { partition: 0, tenant: 'acme', eventId: 'e-1' },
      executionToken: 't',
    },
    receipt: { receipt_id: 'r-1', actor: 'bot' } as DecidedBody,
  } as unknown as Forwarding;
  return { forwarder, forwarding, reports, forwarded };
}

describe('Forwarder', () => {
  it('stops an allowed change whose kill switch was engaged since its receipt', async () => {
    const { forwarder, forwarding, reports, forwarded } = setting({ scope: 'tenant' });
    const answer = await forwarder.forward(forwarding);
    expect(problemOf(answer)).toMatchObject({ status: 423, code: 'CLY_KILL_SWITCH', receipt_id: 'r-1' });
    expect(reports).toMatchObject([{ of: 'e-1', outcome: 'not_forwarded', detail: 'kill_switch' }]);
    expect(forwarded).toEqual([]);
  });

  it('does not forward for a client that has left', async () => {
    const { forwarder, forwarding, reports, forwarded } = setting({ gone: true });
    await forwarder.forward(forwarding);
    expect(reports).toMatchObject([{ outcome: 'not_forwarded', detail: 'client_gone' }]);
    expect(forwarded).toEqual([]);
  });

  it('forwards otherwise', async () => {
    const { forwarder, forwarding, reports, forwarded } = setting({});
    expect((await forwarder.forward(forwarding)).status).toBe(200);
    expect(reports).toMatchObject([{ outcome: 'done', upstreamStatus: 200 }]);
    expect(forwarded).toEqual(['crm']);
  });
});
