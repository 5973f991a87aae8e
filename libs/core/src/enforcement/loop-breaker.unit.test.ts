// SPDX-License-Identifier: Apache-2.0
import { FirewallScript } from '@clyra/testing/firewall-script';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import type { Facts } from '../change/change-body.ts';

const same: Partial<Facts> = { canonical_digest: digestOf('same body') };
const rule = (limits: object): object => ({
  loop_breaker: [{ id: 'l', routes: '*', cool_off_seconds: 60, ...limits }],
});

describe('the loop breaker', () => {
  it('breaks a burst of more than the actions a minute, then lets the scope rest', async () => {
    const script = await FirewallScript.under(rule({ actions_per_minute: 3 }));
    for (let count = 0; count < 3; count += 1) expect(await script.verdict()).toBe('allow');
    expect(await script.verdict()).toBe('block CLY_LOOP_ACTIONS');
    expect(await script.verdict()).toBe('block CLY_LOOP_COOL_OFF');
    expect(await script.verdict({}, {}, 'other')).toBe('allow');
    script.wait(60_000);
    expect(await script.verdict()).toBe('allow');
  });

  it('counts what is refused: a loop of refusals is a loop', async () => {
    const script = await FirewallScript.under(rule({ actions_per_minute: 3 }));
    for (let count = 0; count < 3; count += 1) await script.request({ content: 'CLY_JSON_UTF8' });
    expect(await script.verdict()).toBe('block CLY_LOOP_ACTIONS');
  });

  it('breaks the same action again and again, also with a fresh run for each', async () => {
    const script = await FirewallScript.under(rule({ identical_repeats: 3 }));
    for (const run of ['a', 'b', 'c']) await script.openRun(run);
    expect(await script.verdict(same, { run_id: 'a' })).toBe('allow');
    expect(await script.verdict(same, { run_id: 'b' })).toBe('allow');
    expect(await script.verdict(same, { run_id: 'c' })).toBe('block CLY_LOOP_REPEAT');
  });

  it('sees nothing wrong in other bodies, in retries under one key, and outside of the window', async () => {
    const script = await FirewallScript.under(rule({ identical_repeats: 3, window_seconds: 10 }));
    for (let count = 0; count < 5; count += 1) expect(await script.verdict()).toBe('allow');
    const key = { key_digest: digestOf('k'), fingerprint: digestOf('f') };
    for (let count = 0; count < 5; count += 1)
      expect(await script.verdict({ ...same, idempotency: key })).toBe('allow');
    for (let count = 0; count < 5; count += 1) {
      script.wait(6_000);
      expect(await script.verdict({ ...same, target_digest: digestOf('t') })).toBe('allow');
    }
  });

  it('breaks two actors that answer each other on one target', async () => {
    const script = await FirewallScript.under(rule({ ping_pong: 2 }));
    const a: Partial<Facts> = { canonical_digest: digestOf('open') };
    const b: Partial<Facts> = { canonical_digest: digestOf('close') };
    expect(await script.verdict(a, {}, 'one')).toBe('allow');
    expect(await script.verdict(b, {}, 'two')).toBe('allow');
    expect(await script.verdict(a, {}, 'one')).toBe('allow');
    expect(await script.verdict(b, {}, 'two')).toBe('block CLY_LOOP_PING_PONG');
    expect(await script.verdict(a, {}, 'one')).toBe('block CLY_LOOP_COOL_OFF');
    expect(await script.verdict({ ...a, target_digest: digestOf('other') }, {}, 'one')).toBe('allow');
  });

  it('only says so where the policy wants no more', async () => {
    const script = await FirewallScript.under(rule({ actions_per_minute: 2, effect: 'shadow' }));
    await script.request();
    await script.request();
    expect(await script.verdict()).toBe('allow CLY_LOOP_ACTIONS');
  });

  it('keeps at most 64 requests of a scope', async () => {
    const script = await FirewallScript.under(rule({ identical_repeats: 32, actions_per_minute: 100_000 }));
    for (let count = 0; count < 100; count += 1) await script.request();
    const [entry] = [...(script.script.fold.tenant('acme')?.table.entries('loop') ?? [])];
    expect(entry?.[1]['seen']).toHaveLength(64);
  });
});
