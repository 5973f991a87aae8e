// SPDX-License-Identifier: Apache-2.0
import { FirewallScript, verdictOf } from '@clyra/testing/firewall-script';
import { SCRIPT_KEYS, type Step } from '@clyra/testing/fold-script';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import type { Facts } from '../change/change-body.ts';

const RULE = { id: 'a', routes: [`r`], mfa: true, grade_min: 2, idp_domains: ['login.example.com'] };
const PEOPLE = [{ subject: 'bea', aliases: ['bot', 'login.example.com|00u2'] }];

describe('approvals', () => {
  let script: FirewallScript;
  let held: Step;
  const open = async (sections: object, facts: Partial<Facts> = {}): Promise<void> => {
    script = await FirewallScript.under({ people: PEOPLE, ...sections });
    held = await script.request(facts);
  };
  beforeEach(() => open({ approvals: [RULE] }));
  const grant = async (members: JsonObject = {}): Promise<string> => verdictOf(await script.approve(held, members));

  it('hold, are given, and admit the same request once', async () => {
    expect(held.receipt).toMatchObject({
      decision: 'hold',
      approval: { state: 'pending', of: held.receipt['event_id'], have: 0, need: 1, grade_min: 2 },
    });
    expect(await grant()).toBe('allow');
    const step = await script.repeat(held);
    expect(step.receipt).toMatchObject({
      decision: 'allow',
      supersedes: held.receipt['event_id'],
      bec_approval_grade: 3,
      approver_principal: 'login.example.com|00u1',
      approval: { state: 'used', approvers: ['login.example.com|00u1'] },
    });
    expect(verdictOf(await script.repeat(held))).toBe('hold CLY_APPROVAL_REQUIRED');
    expect(script.count('pending')).toBe(1);
  });

  it.each<[string, JsonObject, string]>([
    ['another payload', { payload_hash: digestOf('other') }, 'CLY_APPROVAL_PAYLOAD'],
    ['another route', { route: 'q' }, 'CLY_APPROVAL_ROUTE'],
    ['another method', { method: 'PUT' }, 'CLY_APPROVAL_ROUTE'],
    ['another target', { target_digest: digestOf('other') }, 'CLY_APPROVAL_ROUTE'],
    ['another requester', { requester: 'other' }, 'CLY_APPROVAL_REQUESTER'],
    ['another change', { of: '00000000-0000-7000-8000-00000000ffff' }, 'CLY_APPROVAL_UNKNOWN'],
    ['another provider', { idp_domain: 'evil.example.com' }, 'CLY_APPROVAL_IDP'],
    ['no second factor', { mfa: false }, 'CLY_APPROVAL_MFA'],
    ['a second factor that is none', { amr: ['pwd', 'sms'] }, 'CLY_APPROVAL_MFA'],
    ['an old sign-in', { auth_time: 1_750_000_000_000 - 901_000 }, 'CLY_APPROVAL_LOGIN'],
    ['too long a life', { expires_at: 1_750_000_000_000 + 900_001 }, 'CLY_APPROVAL_TTL'],
    ['the requester themselves', { approver_sso_sub: 'bot' }, 'CLY_APPROVAL_SELF'],
    ['the executor’s credential', { approver_sso_sub: 'key-1' }, 'CLY_APPROVAL_SELF'],
    ['the requester under an alias', { approver_sso_sub: '00u2' }, 'CLY_APPROVAL_SELF'],
    ['an emergency that is not allowed', { emergency: true, proof: 'key', ticket: 'T-1' }, 'CLY_COMMAND_ROLE'],
    ['no proof', { proof: 'word' }, 'CLY_COMMAND_MALFORMED'],
    ['a sign-in from nowhere', { auth_time: 0 }, 'CLY_COMMAND_MALFORMED'],
    ['a name with a bar', { approver_sso_sub: 'a|b' }, 'CLY_COMMAND_MALFORMED'],
  ])('refuse %s', async (_name, members, code) => {
    expect(await grant(members)).toBe(`block ${code}`);
    expect(verdictOf(await script.repeat(held))).toBe('hold CLY_APPROVAL_REQUIRED');
  });

  it('refuse a certificate that comes again, a used challenge, and the same person twice', async () => {
    const body = await script.script.commandBody('approval.granted', script.certificate(held), [SCRIPT_KEYS.human]);
    expect(verdictOf(await script.script.append(body))).toBe('allow');
    const again = { ...body, event_id: script.script.eventId() };
    expect(verdictOf(await script.script.append(again))).toBe('block CLY_COMMAND_REPEATED');
    const { challenge_nonce: nonce } = body['command'] as JsonObject;
    expect(await grant({ challenge_nonce: nonce, approver_sso_sub: '00u9' })).toBe('block CLY_APPROVAL_NONCE');
    expect(await grant()).toBe('block CLY_APPROVAL_REPEATED');
  });

  it('refuse a signer who is no approver', async () => {
    const step = await script.approve(held, {}, SCRIPT_KEYS.operator);
    expect(verdictOf(step)).toBe('block CLY_COMMAND_ROLE');
  });

  it.each<[string, Partial<Facts>]>([
    ['another body', { canonical_digest: digestOf('other') }],
    ['another target', { target_digest: digestOf('other') }],
    ['another method', { method: 'PUT' }],
    ['another credential', { principal: 'key-2' }],
    [
      'another actor',
      {
        actors: [
          { from: 'credential', value: '*' },
          { from: 'header', value: 'other' },
        ],
      },
    ],
  ])('do not admit %s', async (_name, changes) => {
    await grant();
    expect(verdictOf(await script.repeat(held, changes))).toBe('hold CLY_APPROVAL_REQUIRED');
    expect(verdictOf(await script.repeat(held))).toBe('allow CLY_APPROVAL_REQUIRED');
  });

  it('expire, can be taken back, and come back when the change was not forwarded', async () => {
    await grant();
    script.wait(600_000);
    expect(verdictOf(await script.repeat(held))).toBe('hold CLY_APPROVAL_REQUIRED');
    const given = await script.approve(held, { approver_sso_sub: '00u5' });
    expect(verdictOf(given)).toBe('allow');
    const step = await script.repeat(held);
    expect(step.receipt['decision']).toBe('allow');
    await script.outcome(step, 'not_forwarded');
    const id = (step.receipt['approval'] as { ids: string[] }).ids[0];
    const of = held.receipt['event_id'] as string;
    const revoke = () => script.script.command('approval.revoked', { approval_id: id, of }, [SCRIPT_KEYS.human]);
    expect(verdictOf(await revoke())).toBe('allow');
    expect(verdictOf(await revoke())).toMatch(/^block /);
    expect(verdictOf(await script.repeat(held))).toBe('hold CLY_APPROVAL_REQUIRED');
  });

  it('never lift a block', async () => {
    const blocked = await script.request({ content: 'CLY_JSON_UTF8' });
    expect(verdictOf(await script.approve(blocked))).toBe('block CLY_APPROVAL_UNKNOWN');
  });

  it('need more people above an amount, each a different one', async () => {
    const amount = { value: '/amount', currency: 'EUR' };
    const steps = [{ above: { EUR: '100' }, quorum: 2 }];
    const rule = { ...RULE, amount, steps, only_above: { EUR: '10' } };
    const money = (value: string | null) => ({ amounts: [{ rule: 'approvals/a', value, currency: 'EUR' }] });
    await open(
      { approvals: [rule], people: [{ subject: 'cid', aliases: ['login.example.com|c1', 'login.example.com|c2'] }] },
      money('101'),
    );
    expect(await script.verdict(money('10'))).toBe('allow');
    expect(await script.verdict(money(null))).toBe('hold CLY_APPROVAL_REQUIRED');
    expect(await grant({ approver_sso_sub: 'c1' })).toBe('allow');
    expect((await script.repeat(held)).receipt['approval']).toMatchObject({ state: 'pending', have: 1, need: 2 });
    expect(await grant({ approver_sso_sub: 'c2' })).toBe('block CLY_APPROVAL_REPEATED');
    expect(await grant({ approver_sso_sub: 'd1' })).toBe('allow');
    expect((await script.repeat(held)).receipt['decision']).toBe('allow');
  });

  it('lift what another primitive holds, on a route that asks for none', async () => {
    await open({ voice: [{ id: 'v', routes: ['r'] }] });
    expect(verdictOf(held)).toBe('hold CLY_VOICE_SESSION CLY_VOICE_DISCLAIMER');
    expect(await grant({ amr: ['pwd'], mfa: false })).toBe('allow');
    expect((await script.repeat(held)).receipt).toMatchObject({ decision: 'allow', bec_approval_grade: 1 });
  });

  it('by the author of a deployment do not count', async () => {
    const deploy = [{ rule: 'd', commit: 'abcdef0', artifact: null, environment: null, author: 'anna' }];
    await open({ approvals: [RULE], deploy: [{ id: 'd', routes: ['r'], author: '/author' }] }, { deploy });
    expect(await grant({ approver_sso_sub: 'anna' })).toBe('block CLY_APPROVAL_SELF');
  });
});

describe('break-glass', () => {
  const emergency: JsonObject = { emergency: true, proof: 'key', ticket: 'INC-7', reason: 'pager' };

  it('lets an operator through alone, says so, and wants another person to look at it', async () => {
    const script = await FirewallScript.under({ approvals: [RULE], break_glass: { allowed: true, review_hours: 1 } });
    const held = await script.request();
    const given = await script.approve(held, emergency, SCRIPT_KEYS.operator);
    expect(verdictOf(given)).toBe('allow');
    const step = await script.repeat(held);
    const id = (script.certificate(held)['approval_id'] as string).length;
    expect(id).toBe(32);
    expect(step.receipt).toMatchObject({ decision: 'allow', bec_approval_grade: 0, emergency: { ticket: 'INC-7' } });
    const approvalId = (step.receipt['emergency'] as JsonObject)['approval_id'] as string;
    script.wait(3_600_000);
    const window = await script.script.append(script.script.body('window.closed', { number: 1 }));
    expect(window.receipt['emergencies']).toEqual({ open: 1, overdue: [approvalId] });
    const review = (key: keyof typeof SCRIPT_KEYS) =>
      script.script.command('emergency.reviewed', { approval_id: approvalId }, [SCRIPT_KEYS[key]]);
    expect(verdictOf(await review('operator'))).toBe('block CLY_EMERGENCY_SELF');
    expect(verdictOf(await review('second'))).toBe('allow');
    expect(verdictOf(await review('second'))).toMatch(/^block /);
    const next = await script.script.append(script.script.body('window.closed', { number: 2 }));
    expect(next.receipt['emergencies']).toBeUndefined();
  });

  it('is closed unless the policy opens it, and never lifts a block', async () => {
    const script = await FirewallScript.under({ approvals: [RULE] });
    const held = await script.request();
    expect(verdictOf(await script.approve(held, emergency, SCRIPT_KEYS.operator))).toBe('block CLY_APPROVAL_EMERGENCY');
  });
});
