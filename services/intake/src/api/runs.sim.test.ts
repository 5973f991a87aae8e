// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import { signRequest } from '@clyra/core/inspection/request-signature';
import { describe, expect, it } from '@jest/globals';
import { RequestHeaders } from '../gateway/request-headers.ts';
import type { IntakeProcessor } from '../intake.processor.ts';
import { IntakeWorld, problemOf, SECRET, TENANT } from '../test-support/intake-world.ts';
import type { ApiRequest } from './caller-desk.ts';

let serial = 0;

function ask(world: IntakeWorld, target: string, value: JsonObject | string): ApiRequest {
  serial += 1;
  const body = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  const nonce = `run-nonce-${String(serial).padStart(16, '0')}`;
  const caller = { keyId: 'key-1', secret: SECRET, tenant: TENANT, actor: 'bot', nowMs: world.clock.nowMs(), nonce };
  const signed = signRequest({ ...caller, method: 'POST', target, body });
  return {
    method: 'POST',
    target,
    body,
    headers: new RequestHeaders(Object.entries({ host: 'api', ...signed }).flat()),
  };
}

type Opened = { readonly text: string; readonly receipt: JsonObject };

async function open(world: IntakeWorld, intake: IntakeProcessor, value: JsonObject): Promise<Opened> {
  const answer = await world.during(intake.callers.openRun(ask(world, '/v1/runs', value)));
  const [change = {}] = world.changesOf('run.opened').filter(({ run_id: runId }) => runId === value['run_id']);
  const { receipt } = problemOf(answer) as { receipt: JsonObject };
  return { text: Buffer.from(encodeRecord(change)).toString(), receipt };
}

/** The bytes of a run.opened, spelt out; what differs from run to run is taken from what was read. */
function bytesOf(text: string, [more, runId]: readonly [string, string]): string {
  const { event_id: eventId, intake_at: intakeAt } = JSON.parse(text) as JsonObject;
  const when = `"intake":{"epoch":1,"instance":"intake-1"},"intake_at":${String(intakeAt)}`;
  const who = `"kind":"run.opened","principal":"key-1","run_id":"${runId}","tenant":"${TENANT}","v":0`;
  return `{"actor":"bot",${more}"event_id":"${String(eventId)}",${when},${who}}`;
}

describe('a run that says under which names partners know it', () => {
  it('has them in its signed body, and without them the bytes that it had before there were any', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const without = await open(world, intake, { run_id: 'plain' });
    expect(without.text).toBe(bytesOf(without.text, ['', 'plain']));
    const correlation = { actor_principal: 'svc|7', approver_principal: 'ann', client_app_id: 'a', session_id: 'vs' };
    const named = await open(world, intake, { run_id: 'named', correlation });
    expect(named.text).toBe(bytesOf(named.text, [`"correlation":${JSON.stringify(correlation)},`, 'named']));
    for (const { text, receipt } of [without, named]) {
      expect(receipt).toMatchObject({ decision: 'allow', change_digest: digestOf(text) });
    }
  });

  it('has names of 256 characters, however many bytes they have in JSON', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const name = 'ü'.repeat(256);
    const correlation = { actor_principal: name, approver_principal: name, client_app_id: name, session_id: name };
    const escaped = JSON.stringify({ run_id: 'r'.repeat(128), actor: 'bot', correlation }).replaceAll('ü', '\\u00fc');
    const answer = await world.during(intake.callers.openRun(ask(world, '/v1/runs', escaped)));
    expect([answer.status, world.changesOf('run.opened')]).toMatchObject([201, [{ correlation }]]);
  });

  it.each([
    ['no object', 'x', 'correlation is not an object'],
    ['nothing', {}, 'correlation is empty'],
    ['another member', { user: 'u' }, 'unknown member user'],
    ['a number', { session_id: 7 }, 'correlation.session_id is not a text'],
    ['no characters', { session_id: '' }, 'correlation.session_id is not a text of 1 to 256'],
    ['257 characters', { client_app_id: 'x'.repeat(257) }, 'correlation.client_app_id is not a text of 1 to 256'],
    ['a control character', { actor_principal: 'a\u0000' }, 'correlation.actor_principal is not a text'],
  ])('is refused with names of %s', async (_what, correlation, detail) => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const answer = await intake.callers.openRun(ask(world, '/v1/runs', { correlation }));
    expect(problemOf(answer)).toMatchObject({ status: 400, code: 'CLY_RECORD_SHAPE' });
    expect(problemOf(answer)['detail']).toContain(detail);
    expect(world.changesOf('run.opened')).toEqual([]);
  });

  it('takes no commitment from a caller, and no names at its end', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const committed = { correlation: { session_id: { $commit: digestOf('x') } } };
    const deep = await intake.callers.openRun(ask(world, '/v1/runs', committed));
    expect(problemOf(deep)).toMatchObject({ status: 400, code: 'CLY_JSON_DEPTH' });
    const named = ask(world, '/v1/runs/r/close', { correlation: { session_id: 'vs' } });
    const detail = expect.stringContaining('unknown member correlation');
    expect(problemOf(await intake.callers.closeRun(named, 'r'))).toMatchObject({ code: 'CLY_RECORD_SHAPE', detail });
    expect([world.changesOf('run.opened'), world.changesOf('run.closed')]).toEqual([[], []]);
  });
});
