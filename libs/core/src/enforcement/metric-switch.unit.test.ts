// SPDX-License-Identifier: Apache-2.0
import { FirewallScript } from '@clyra/testing/firewall-script';
import { describe, expect, it } from '@jest/globals';

const RATE = { id: 'errors', routes: '*', metric: 'error_rate', threshold: 0.5, window_seconds: 60, ttl_seconds: 300 };

async function outcomes(script: FirewallScript, ends: readonly string[], actor = 'bot'): Promise<void> {
  for (const end of ends) await script.outcome(await script.request({}, {}, actor), end);
}

describe('the switch that throws itself', () => {
  it.each([
    ['below the threshold', ['failed', 'done', 'done', 'done'], 'allow'],
    ['at the threshold', ['failed', 'done', 'failed', 'done'], 'block CLY_KILL_SWITCH_TRIPPED'],
    ['with too few to say', ['failed', 'failed', 'failed'], 'allow'],
    ['with what was not forwarded left out', ['failed', 'failed', 'failed', 'not_forwarded'], 'allow'],
  ])('%s', async (_name, ends, verdict) => {
    const script = await FirewallScript.under({ kill_switch: [{ ...RATE, min_count: 4 }] });
    await outcomes(script, ends);
    expect(await script.verdict()).toBe(verdict);
  });

  it('needs twenty changes unless the policy says otherwise', async () => {
    const script = await FirewallScript.under({ kill_switch: [RATE] });
    await outcomes(
      script,
      Array.from({ length: 19 }, () => 'failed'),
    );
    expect(await script.verdict()).toBe('allow');
    await outcomes(script, ['failed']);
    expect(await script.verdict()).toBe('block CLY_KILL_SWITCH_TRIPPED');
  });

  it('stands in the body of the record that throws it, and comes back after its time', async () => {
    const script = await FirewallScript.under({ kill_switch: [{ ...RATE, min_count: 2 }] });
    await outcomes(script, ['failed']);
    const last = await script.outcome(await script.request(), 'failed');
    expect(last.receipt).toMatchObject({
      kind: 'recorded',
      effect: 'failed',
      tripped: [{ rule: 'kill_switch/errors', metric: 'error_rate', value: '1', until: script.script.nowMs + 300_000 }],
    });
    script.wait(299_999);
    expect(await script.verdict()).toBe('block CLY_KILL_SWITCH_TRIPPED');
    script.wait(1);
    expect(await script.verdict()).toBe('allow');
  });

  it('stops the actor on the route, whatever run id it takes, and nobody else', async () => {
    const script = await FirewallScript.under({ kill_switch: [{ ...RATE, min_count: 2 }] });
    await script.openRun('run-1');
    await script.openRun('run-2');
    for (let count = 0; count < 2; count += 1) {
      await script.outcome(await script.request({}, { run_id: 'run-1' }), 'failed');
    }
    expect(await script.verdict({}, { run_id: 'run-2' })).toBe('block CLY_KILL_SWITCH_TRIPPED');
    expect(await script.verdict({}, {}, 'other')).toBe('allow');
    expect(await script.verdict({ route: 'q' })).toBe('allow');
  });

  it('counts blocks, but not those of a switch that is thrown', async () => {
    const trigger = { ...RATE, metric: 'block_rate', scope: 'tenant', min_count: 4, ttl_seconds: 10 };
    const script = await FirewallScript.under({ kill_switch: [trigger] });
    await script.request();
    await script.request({ content: 'CLY_JSON_UTF8' });
    await script.request();
    const thrown = await script.request({ content: 'CLY_JSON_UTF8' });
    expect(thrown.receipt).toMatchObject({ decision: 'block', tripped: [{ metric: 'block_rate', value: '0.5' }] });
    for (let count = 0; count < 10; count += 1) expect(await script.verdict()).toBe('block CLY_KILL_SWITCH_TRIPPED');
    script.wait(10_000);
    expect(await script.verdict()).toBe('allow');
  });

  it('adds up what was allowed, exactly, and gives back what was not forwarded', async () => {
    const trigger = { ...RATE, metric: 'spend', threshold: '100', scope: 'route', amount: '/amount' };
    const script = await FirewallScript.under({ kill_switch: [trigger] });
    const pay = (value: string | null) =>
      script.request({ amounts: [{ rule: 'kill_switch/errors', value, currency: null }] });
    expect((await pay(null)).receipt['decision']).toBe('block');
    await script.outcome(await pay('60.00'), 'not_forwarded');
    await pay('60');
    expect((await pay('40')).receipt['tripped']).toBeUndefined();
    expect((await pay('0.01')).receipt).toMatchObject({ decision: 'allow', tripped: [{ value: '100.01' }] });
    expect((await pay('0.01')).receipt['decision']).toBe('block');
  });
});
