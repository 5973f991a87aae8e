// SPDX-License-Identifier: Apache-2.0
import { FirewallScript } from '@clyra/testing/firewall-script';
import { describe, expect, it } from '@jest/globals';
import type { DeployFact, VoiceFact } from '../change/change-body.ts';
import type { SignalFact } from '../change/conversation-facts.ts';

describe('cost caps', () => {
  it('add up exactly per run, and for the actor whatever run it names', async () => {
    const script = await FirewallScript.under({
      cost_caps: [{ id: 'c', routes: '*', amount: '/cost', per_action: '0.1', max: '1' }],
    });
    for (const run of ['a', 'b']) await script.openRun(run);
    const spend = (value: string, run: string) =>
      script.verdict({ amounts: [{ rule: 'cost_caps/c', value, currency: 'USD' }] }, { run_id: run });
    expect(await spend('0.4', 'a')).toBe('allow');
    expect(await spend('0.4', 'b')).toBe('allow');
    expect(await spend('0', 'a')).toBe('block CLY_COST_CAP');
    script.wait(86_400_000 + 1_441_000);
    expect(await spend('0.9', 'a')).toBe('allow');
  });

  it('count each action, give back what was not forwarded, and say what is left', async () => {
    const script = await FirewallScript.under({
      cost_caps: [{ id: 'c', routes: '*', scope: 'tenant', per_action: '0.3', max: '1' }],
    });
    const first = await script.request();
    expect(first.receipt['cost']).toEqual([{ rule: 'c', scope: 'tenant', currency: '', limit: '1', remaining: '0.7' }]);
    for (let count = 0; count < 2; count += 1) expect(await script.verdict({}, {}, `bot-${count}`)).toBe('allow');
    expect(await script.verdict()).toBe('block CLY_COST_CAP');
    await script.outcome(first, 'not_forwarded');
    expect(await script.verdict()).toBe('allow');
  });

  it('refuse a cost that cannot be read', async () => {
    const script = await FirewallScript.under({ cost_caps: [{ id: 'c', routes: '*', amount: '/cost', max: '1' }] });
    expect(await script.verdict()).toBe('block CLY_AMOUNT_MISSING');
  });
});

const call: VoiceFact = {
  rule: 'v',
  session: 's-1',
  disclaimer_played: true,
  disclaimer_acknowledged: true,
  barge_in_available: true,
  barge_in_window_ms: 3_000,
  asserted_by: 'caller',
};

/** What a partner's log says, made so many milliseconds from now. */
function logged(changed: Partial<SignalFact> = {}): Partial<VoiceFact> {
  const signal: SignalFact = {
    principal: 'hooks/pbx',
    at: 0,
    ended: false,
    contradicted: false,
    attestation: 'B',
    digest: 'a'.repeat(64),
    ...changed,
  };
  return { asserted_by: 'partner', signal };
}

describe('voice', () => {
  it.each<[string, object, Partial<VoiceFact> | null, string]>([
    ['a call that complies', {}, {}, 'allow'],
    ['no facts at all', {}, null, 'hold CLY_VOICE_SESSION CLY_VOICE_DISCLAIMER'],
    ['no session', {}, { session: null }, 'hold CLY_VOICE_SESSION'],
    ['a disclaimer that nobody heard', {}, { disclaimer_played: false }, 'hold CLY_VOICE_DISCLAIMER'],
    ['a disclaimer that was not acknowledged', {}, { disclaimer_acknowledged: null }, 'hold CLY_VOICE_DISCLAIMER'],
    ['none required', { disclaimer_required: false }, { disclaimer_played: null }, 'allow'],
    ['too short to interrupt', { barge_in_window_ms_min: 5_000 }, {}, 'hold CLY_VOICE_BARGE_IN'],
    ['nobody could interrupt', { barge_in_window_ms_min: 1 }, { barge_in_available: false }, 'hold CLY_VOICE_BARGE_IN'],
    ['the caller alone says so', { asserted_by: 'partner' }, {}, 'hold CLY_VOICE_UNATTESTED CLY_VOICE_DISCLAIMER'],
    ['a partner says so', { asserted_by: 'partner' }, { asserted_by: 'partner' }, 'allow'],
    ['a log of now', { asserted_by: 'partner' }, logged(), 'allow'],
    ['a log of another time', { asserted_by: 'partner' }, logged({ at: -301_000 }), 'hold CLY_VOICE_STALE'],
    ['a log that is from tomorrow', { asserted_by: 'partner' }, logged({ at: 301_000 }), 'hold CLY_VOICE_STALE'],
    ['a log, not old enough', { asserted_by: 'partner', signal_seconds_max: 600 }, logged({ at: -301_000 }), 'allow'],
    ['a call that is over', { asserted_by: 'partner' }, logged({ ended: true }), 'hold CLY_VOICE_ENDED'],
    ['two stories', { asserted_by: 'partner' }, logged({ contradicted: true }), 'hold CLY_VOICE_CONTRADICTED'],
    ['enough attestation', { asserted_by: 'partner', attestation_min: 'B' }, logged(), 'allow'],
    ['too little of it', { asserted_by: 'partner', attestation_min: 'A' }, logged(), 'hold CLY_VOICE_ATTESTATION'],
    [
      'a failed check',
      { asserted_by: 'partner', attestation_min: 'C' },
      logged({ attestation: 'failed' }),
      'hold CLY_VOICE_ATTESTATION',
    ],
    [
      'no log to attest',
      { asserted_by: 'partner', attestation_min: 'C' },
      { asserted_by: 'partner' },
      'hold CLY_VOICE_ATTESTATION',
    ],
    ['blocked where the policy says so', { effect: 'block' }, { session: null }, 'block CLY_VOICE_SESSION'],
  ])('%s', async (_name, rule, fact, verdict) => {
    const script = await FirewallScript.under({ voice: [{ id: 'v', routes: '*', ...rule }] });
    const { signal } = fact ?? {};
    const now = signal === undefined ? {} : { signal: { ...signal, at: script.script.nowMs + signal.at } };
    const step = await script.verdict(fact === null ? {} : { voice: [{ ...call, ...fact, ...now }] });
    expect(step).toBe(verdict);
  });

  it('says in the receipt who said what', async () => {
    const script = await FirewallScript.under({ voice: [{ id: 'v', routes: '*' }] });
    const { receipt } = await script.request({ voice: [call] });
    expect(receipt['voice_compliance_check']).toMatchObject([
      { session: 's-1', asserted_by: 'caller', compliant: true },
    ]);
  });
});

const release: DeployFact = { rule: 'd', commit: 'abcdef0', artifact: null, environment: 'prod', author: 'anna' };

describe('deploy control', () => {
  const rule = { id: 'd', routes: '*', environment: '/env', author: '/author' };
  const deploy = (fact: Partial<DeployFact> = {}) => ({ deploy: [{ ...release, ...fact }] });

  it('deploys a commit once an environment, and again only after a failure', async () => {
    const script = await FirewallScript.under({ deploy: [rule] });
    const first = await script.request(deploy());
    expect(await script.verdict(deploy())).toBe('block CLY_DEPLOY_IN_FLIGHT');
    expect(await script.verdict(deploy({ environment: 'test' }))).toBe('allow');
    await script.outcome(first, 'failed');
    const second = await script.request(deploy());
    expect(second.receipt['decision']).toBe('allow');
    await script.outcome(second, 'done');
    expect(await script.verdict(deploy())).toBe('block CLY_DEPLOY_REPEATED');
    script.wait(90 * 86_400_000);
    expect(await script.verdict(deploy())).toBe('allow');
  });

  it('keeps a commit closed whose end nobody knows', async () => {
    const script = await FirewallScript.under({ deploy: [rule] });
    await script.request(deploy());
    script.wait(61_000);
    await script.script.append(script.script.body('clock.ticked', { number: 1 }));
    script.wait(400 * 86_400_000);
    expect(await script.verdict(deploy())).toBe('block CLY_DEPLOY_UNKNOWN');
  });

  it.each<[string, object, Partial<DeployFact>, string]>([
    ['no commit', {}, { commit: null }, 'block CLY_DEPLOY_COMMIT'],
    ['no environment', {}, { environment: null }, 'block CLY_DEPLOY_ENVIRONMENT'],
    ['no artifact', { unique: 'artifact', artifact: '/a' }, {}, 'block CLY_DEPLOY_ARTIFACT'],
    ['an author who deploys', { segregation: true }, { author: 'bot' }, 'block CLY_DEPLOY_SELF'],
    ['an author under another name', { segregation: true }, { author: 'b@example.com' }, 'block CLY_DEPLOY_SELF'],
    ['no author', { segregation: true }, { author: null }, 'block CLY_DEPLOY_AUTHOR'],
    ['somebody else', { segregation: true }, {}, 'allow'],
  ])('%s', async (_name, changes, fact, verdict) => {
    const people = [{ subject: 'bea', aliases: ['b@example.com', 'bot'] }];
    const script = await FirewallScript.under({ deploy: [{ ...rule, ...changes }], people });
    expect(await script.verdict(deploy(fact))).toBe(verdict);
  });

  it('limits the deployments an hour, not counting what was not forwarded', async () => {
    const script = await FirewallScript.under({ deploy: [{ ...rule, unique: 'none', max_per_hour: 2 }] });
    await script.outcome(await script.request(deploy()), 'not_forwarded');
    expect(await script.verdict(deploy())).toBe('allow');
    expect(await script.verdict(deploy())).toBe('allow');
    expect(await script.verdict(deploy())).toBe('block CLY_DEPLOY_RATE');
    script.wait(3_661_000);
    expect(await script.verdict(deploy())).toBe('allow');
  });
});
