// SPDX-License-Identifier: Apache-2.0

import { FoldScript, SCRIPT_KEYS, type Step } from '@clyra/testing/fold-script';
import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../canonical/json-value.ts';
import { COMMAND_VALID_MS_MAX, INTAKE_MEMORY_MS, KEY_COUNT_MAX, RUN_IDLE_MS, RUN_MEMORY_MS } from './limits.ts';
import type { Reason } from './receipt-body.ts';

const codesOf = ({ receipt }: Step): readonly string[] =>
  (receipt['reasons'] as unknown as readonly Reason[]).map(({ code }) => code);

const RUN = { run_id: 'run-1', actor: 'sync-bot', principal: 'key-1' };

async function window(script: FoldScript, number: number): Promise<Step> {
  return script.append(script.body('window.closed', { number }));
}

describe('a run', () => {
  it('is closed by the actor who opened it, under any credential that speaks for it', async () => {
    const script = await new FoldScript().opened();
    await script.append(script.body('run.opened', RUN));
    const other = await script.append(script.body('run.closed', { ...RUN, actor: 'rival-bot' }));
    expect(codesOf(other)).toEqual(['CLY_RUN_ACTOR']);
    expect(other.receipt['seq']).toBeUndefined();
    const own = await script.append(script.body('run.closed', { ...RUN, principal: 'key-2' }));
    expect(own.receipt).toMatchObject({ decision: 'allow', count: 1 });
  });

  it('is closed by anybody of the tenant once it has had no record for a day', async () => {
    const script = await new FoldScript().opened();
    const rival = { ...RUN, actor: 'rival-bot' };
    await script.append(script.body('run.opened', RUN));
    script.nowMs += RUN_IDLE_MS - 1;
    await script.request({}, { run_id: 'run-1' });
    script.nowMs += RUN_IDLE_MS - 1;
    expect(codesOf(await script.append(script.body('run.closed', rival)))).toEqual(['CLY_RUN_ACTOR']);
    script.nowMs += 1;
    const closed = await script.append(script.body('run.closed', rival));
    expect(closed.receipt).toMatchObject({ decision: 'allow', count: 2 });
  });

  it('is not opened again under its id for as long as closed runs are remembered', async () => {
    const script = await new FoldScript().opened();
    await script.append(script.body('run.opened', RUN));
    await script.append(script.body('run.closed', RUN));
    expect(codesOf(await script.append(script.body('run.opened', RUN)))).toEqual(['CLY_RUN_CLOSED']);
    script.nowMs += RUN_MEMORY_MS - 1;
    await window(script, 1);
    expect(codesOf(await script.append(script.body('run.opened', RUN)))).toEqual(['CLY_RUN_CLOSED']);
    script.nowMs += 1;
    expect((await script.append(script.body('run.opened', RUN))).receipt['decision']).toBe('allow');
    await window(script, 2);
    expect(script.fold.tenant('acme')?.table.count('run_closed')).toBe(0);
  });
});

describe('a command', () => {
  const engage = { scope: 'tenant', id: '*', reason: 'drill' };

  it('is refused when it would be valid for longer than a day', async () => {
    const script = await new FoldScript().opened();
    const at = (ms: number) => ({ ...engage, issued_at: script.nowMs, expires_at: script.nowMs + ms });
    const long = await script.command('kill_switch.engaged', at(COMMAND_VALID_MS_MAX + 1), [SCRIPT_KEYS.operator]);
    expect(codesOf(long)).toEqual(['CLY_COMMAND_VALIDITY']);
    const day = await script.command('kill_switch.engaged', at(COMMAND_VALID_MS_MAX), [SCRIPT_KEYS.operator]);
    expect(day.receipt['decision']).toBe('allow');
  });
});

describe('an intake instance', () => {
  type Sent = { readonly kind: string; readonly members: object; readonly intake: object };
  const from = (script: FoldScript, { kind, members, intake }: Sent): Promise<Step> =>
    script.append({ ...script.body(kind, { ...members }), intake: { ...intake } });
  const known = (script: FoldScript): number => script.fold.tenant('acme')?.table.count('intake') ?? 0;

  it('is forgotten after a day of silence, so that a tenant never runs out of instances', async () => {
    const script = await new FoldScript().opened();
    const limit = KEY_COUNT_MAX['intake'] as number;
    let number = 0;
    for (let index = 0; index < limit - 1; index += 1) {
      number += 1;
      await from(script, {
        kind: 'clock.ticked',
        members: { number },
        intake: { instance: `once-${index}`, epoch: 1 },
      });
    }
    expect(known(script)).toBe(limit);
    const late = { instance: 'late', epoch: 1 };
    expect(codesOf(await from(script, { kind: 'run.opened', members: RUN, intake: late }))).toEqual([
      'CLY_INTAKE_STALE',
    ]);
    script.nowMs += INTAKE_MEMORY_MS;
    await window(script, 1);
    expect(known(script)).toBe(1);
    expect((await from(script, { kind: 'run.opened', members: RUN, intake: late })).receipt['decision']).toBe('allow');
  });

  it('is kept while it goes on writing, and an older epoch stays stale', async () => {
    const script = await new FoldScript().opened();
    const intake = { instance: 'steady', epoch: 2 };
    for (let number = 1; number <= 30; number += 1) {
      await from(script, { kind: 'clock.ticked', members: { number }, intake });
      script.nowMs += INTAKE_MEMORY_MS / 10;
      await window(script, number);
    }
    const older = await from(script, { kind: 'run.opened', members: RUN, intake: { ...intake, epoch: 1 } });
    expect(codesOf(older)).toEqual(['CLY_INTAKE_STALE']);
  });

  it('is kept while a change of its is open, so that the outcome of an older epoch never counts', async () => {
    const script = await new FoldScript().opened();
    const old = { instance: 'crashed', epoch: 1 };
    const body: JsonObject = { ...script.body('change.requested', { facts: script.facts() }), intake: old };
    expect((await script.append(body)).receipt['decision']).toBe('allow');
    await from(script, { kind: 'clock.ticked', members: { number: 1 }, intake: { ...old, epoch: 2 } });
    script.nowMs += 2 * INTAKE_MEMORY_MS;
    await window(script, 1);
    const outcome = { of: body['event_id'], outcome: 'not_forwarded' };
    const late = await from(script, { kind: 'change.outcome', members: outcome, intake: old });
    expect(late.receipt['effect']).toBe('ignored');
  });
});
