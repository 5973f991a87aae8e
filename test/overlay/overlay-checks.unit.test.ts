// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import type { Change, Sent } from '@clyra/cli/quickstart/gateway-sender';
import { overlayChecks, runOverlayChecks } from '@clyra/cli/quickstart/overlay-checks';
import { compilePolicy } from '@clyra/core/policy/compile-policy';
import { IntakeWorld, KEYS, okResult, problemOf, SECRET, TENANT } from '@clyra/intake/test-support/intake-world';
import { describe, expect, it } from '@jest/globals';

const pack = (path: string): string => readFileSync(new URL(`../../packs/${path}`, import.meta.url), 'utf8');

describe('the checks of the risk overlay', () => {
  it('each meet their rule, and what comes before them passes', async () => {
    const world = new IntakeWorld({ realTime: true });
    const credential = { id: 'key-1', tenant: TENANT, actors: ['*'], secret: SECRET };
    const intake = await world.open({ credentials: new Map([['key-1', credential]]) });
    const overlay = { name: 'genai_risk', text: pack('policies/genai_risk.overlay.yaml') };
    const { policy } = compilePolicy(pack('scenarios/agents/policy.yaml'), [overlay]);
    const compiled = world.addPolicy(JSON.stringify(policy));
    const order = { signers: [KEYS.author, KEYS.approver], policy: compiled.digest, replaces: world.policy.digest };
    expect((await world.command(intake, 'policy.activated', order)).status).toBe(200);
    world.answer = ({ target }) => (target.includes('closed-') ? { ...okResult(), status: 404 } : okResult());
    // No run is opened here: without one, a run is the actor on the route.
    const send = async ({ runId: _run, ...change }: Change): Promise<Sent> => {
      const answer = await intake.gateway.handle(world.request(change));
      const isProblem = answer.status >= 300 && answer.status !== 404;
      return { status: answer.status, eventId: undefined, problem: isProblem ? problemOf(answer) : {} };
    };
    const results = await runOverlayChecks(overlayChecks('r-1'), { send, settled: () => world.pass(50) });
    expect(results.map(({ check, answer, fired }) => [check.rule, answer.problem['code'], fired])).toEqual([
      ['idempotency /refunds/*', 'CLY_IDEMPOTENCY_REPEAT', true],
      ['idempotency /limits/*', 'CLY_IDEMPOTENCY_REPEAT', true],
      ['rate_limits /refunds/*, max_actions', 'CLY_VELOCITY_EXCEEDED', true],
      ['rate_limits /refunds/*, max_amount_cents', 'CLY_VELOCITY_AMOUNT_EXCEEDED', true],
      ['tenant_fences, cross_check', 'CLY_FENCE_TENANT', true],
      ['tenant_fences, required_headers', 'CLY_FENCE_HEADER', true],
      ['kill_switch, error_rate', 'CLY_KILL_SWITCH_TRIPPED', true],
    ]);
    await intake.stop(500);
  });
});
