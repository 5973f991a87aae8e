// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { textOf } from '../standins/browser/form-browser.ts';
import { HumanWorld } from './test-support/human-world.ts';

let world: HumanWorld;
let serial = 0;
beforeAll(async () => {
  world = await HumanWorld.start();
});
afterAll(() => world.close());

/** A held request of its own, and where it can be approved. */
async function held(sent: { body?: string; actor?: string } = {}) {
  serial += 1;
  const { actor = 'desk', body = `{"size":${40_000 + serial},"name":"high-risk"}` } = sent;
  const first = await world.hold({ actor, body });
  const { approval, approval_url: url } = first.problem as { approval: JsonObject; approval_url: string };
  return { ...first, url, of: String(approval?.['of']), repeat: () => world.hold({ ...first.sent, actor, body }) };
}

const last = (list: JsonObject[]): JsonObject => list.at(-1) as JsonObject;

describe('a held change', () => {
  it('is approved by two people, each after seeing it, and then goes through exactly once', async () => {
    const change = await held();
    expect(change).toMatchObject({ status: 428, problem: { code: 'CLY_APPROVAL_REQUIRED' } });
    expect(change.url).toBe(`${world.url}/changes/acme/${change.of}`);
    const ada = await world.visitor('ada');
    expect(textOf(ada.page)).toContain('audiences.push');
    const page = textOf(await ada.look(change.url));
    for (const part of ['POST /v1/audiences/risky', 'desk', '/size', 'high-risk', '2 different people must approve']) {
      expect(page).toContain(part);
    }
    expect(textOf(await ada.approve(change.url))).toContain('Your approval is recorded Thank you. One more person');
    expect((await change.repeat()).status).toBe(428);
    const bea = await world.visitor('bea');
    expect(textOf(await bea.approve(change.url))).toContain('Enough people have approved');
    const sent = world.world.forwarded.length;
    expect((await change.repeat()).status).toBe(201);
    expect((await change.repeat()).status).toBe(428);
    expect(world.world.forwarded.length).toBe(sent + 1);
  });

  it('is proved by what is kept: token, keys and request speak for the approval without us', async () => {
    const change = await held();
    await (await world.visitor('ada')).approve(change.url);
    const command = last(world.commands())['command'] as JsonObject;
    const documents = last(world.commands())['documents'] as { document: string; sha256: string; size: number }[];
    expect(documents.map(({ document }) => document)).toEqual(['approval', 'id_token', 'jwks']);
    const [request, idToken, jwks] = await Promise.all(
      documents.map(async ({ sha256, size }) => {
        const bytes = (await world.world.blobs.get(`documents/${sha256}`)) as Uint8Array;
        expect([digestOf(bytes), bytes.length]).toEqual([sha256, size]);
        return bytes;
      }),
    );
    expect(parseRecord(request as Uint8Array)).toMatchObject({ of: change.of, payload_hash: command['payload_hash'] });
    expect(digestOf(request as Uint8Array)).toBe(command['challenge_nonce']);
    const [head = '', claims = '', signature = ''] = Buffer.from(idToken as Uint8Array)
      .toString()
      .split('.');
    const { keys } = JSON.parse(Buffer.from(jwks as Uint8Array).toString()) as { keys: JsonWebKey[] };
    const key = createPublicKey({ key: keys[0] as JsonWebKey, format: 'jwk' });
    const signed = Buffer.from(`${head}.${claims}`);
    const ok = verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
    expect(ok).toBe(true);
    const said = JSON.parse(Buffer.from(claims, 'base64url').toString()) as JsonObject;
    expect(said).toMatchObject({ sub: 'ada', nonce: command['challenge_nonce'], amr: command['amr'] });
    expect(command).toMatchObject({ approver_sso_sub: 'ada', idp_domain: 'localhost', mfa: true, proof: 'oidc' });
  });

  it.each<[string, string, { code?: boolean; provider?: string }, string]>([
    ['without a second factor', 'ada', { code: false }, 'CLY_APPROVAL_MFA'],
    ['of an identity provider that the policy does not accept', 'ada', { provider: 'other' }, 'CLY_APPROVAL_IDP'],
  ])('is not approved by a sign-in %s', async (_name, person, options, code) => {
    const change = await held();
    const visitor = await world.visitor(person, options);
    const page = textOf(await visitor.approve(change.url));
    expect(page).toContain('Your approval does not count');
    expect(page).toContain(code);
    expect((await change.repeat()).status).toBe(428);
  });

  it('is not approved by the one who asks for it, under whatever name', async () => {
    const change = await held({ actor: 'bot' });
    expect(textOf(await (await world.visitor('cleo')).approve(change.url))).toContain('CLY_APPROVAL_SELF');
  });

  it('counts a person once, whichever account they use', async () => {
    const change = await held();
    expect(textOf(await (await world.visitor('ada')).approve(change.url))).toContain('is recorded');
    expect(textOf(await (await world.visitor('ada-2')).approve(change.url))).toContain('CLY_APPROVAL_REPEATED');
    expect(textOf(await (await world.visitor('ada')).approve(change.url))).toContain('CLY_APPROVAL_REPEATED');
  });

  it('can be left again: an approval is taken back by the one who gave it', async () => {
    const change = await held();
    const ada = await world.visitor('ada');
    await ada.approve(change.url);
    const page = await ada.look(change.url);
    expect(textOf(await ada.browser.submit(page, '/revoke'))).toContain('Your approval is taken back');
    expect(textOf(await ada.look(change.url))).toContain('so far nobody has');
    const bea = await world.visitor('bea');
    await bea.approve(change.url);
    const { html } = await bea.look(change.url);
    const id = /name="approval" value="([0-9a-f]{32})"/.exec(html)?.[1] ?? '';
    const token = /name="token" value="([^"]+)"/.exec((await ada.look(change.url)).html)?.[1] ?? '';
    const stolen = await ada.browser.post(`${change.url}/revoke`, { approval: id, token });
    expect(textOf(stolen)).toContain('CLY_HUMAN_NOT_YOURS');
  });
});

describe('the door', () => {
  let change: Awaited<ReturnType<typeof held>>;
  beforeEach(async () => {
    change = await held();
  });

  it('shows nothing to strangers, and nothing of other tenants', async () => {
    const stranger = await world.visitor('ada', { provider: 'elsewhere' });
    expect(textOf(stranger.page)).toContain('Nothing waits');
    expect(textOf(await stranger.look(change.url))).toContain('CLY_APPROVAL_UNKNOWN');
    stranger.browser.forget();
    expect(textOf(await stranger.look(change.url))).toContain('Sign in to see');
  });

  it('lets nobody in who is no approver', async () => {
    const visitor = await world.visitor('ada', { provider: 'strict' });
    expect(textOf(visitor.page)).toContain('CLY_HUMAN_NOT_APPROVER');
    expect(textOf(await visitor.look('/'))).toContain('Sign in to see');
  });

  it('says so when a person leaves the provider without signing in', async () => {
    const visitor = await world.visitor('ada');
    const asked = await visitor.browser.submit(await visitor.look(change.url), '/approve');
    const back = await visitor.browser.submit(asked, new URL(asked.url).pathname, { cancel: '1' });
    expect(textOf(back)).toContain('CLY_OIDC_DENIED');
  });

  it('takes each sign-in once', async () => {
    const visitor = await world.visitor('ada');
    const given = world.commands().length;
    await visitor.approve(change.url);
    const callback = visitor.browser.trail.find((url) => url.startsWith(`${world.url}/callback`)) ?? '';
    expect(callback).not.toBe('');
    expect(textOf(await visitor.look(callback))).toContain('CLY_HUMAN_STATE');
    expect(world.commands().length).toBe(given + 1);
  });

  it('takes no sign-in of somebody else than the one who looked', async () => {
    const ada = await world.visitor('ada');
    const asked = await ada.browser.submit(await ada.look(change.url), '/approve');
    const question = ada.browser.trail.find((url) => url.includes('/auth?')) ?? '';
    ada.browser.forget(asked.url);
    const anew = await ada.browser.open(question);
    const person = { name: 'bea', password: 'bea-pass', code: '222' };
    const back = await ada.browser.submit(anew, new URL(anew.url).pathname, person);
    expect(textOf(back)).toContain('CLY_HUMAN_OTHER_PERSON');
  });

  it('takes forms from its own pages only, and approves only what was shown', async () => {
    const ada = await world.visitor('ada');
    const page = await ada.look(change.url);
    const token = /name="token" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const shown = /name="shown" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const post = async (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      textOf(await ada.browser.post(`${change.url}/approve`, fields, headers));
    expect(await post({ shown })).toContain('CLY_HUMAN_FORGED');
    expect(await post({ shown, token: 'guess' })).toContain('CLY_HUMAN_FORGED');
    expect(await post({ shown, token }, { origin: 'https://evil.example.com' })).toContain('CLY_HUMAN_FORGED');
    expect(await post({ shown, token }, { 'sec-fetch-site': 'cross-site' })).toContain('CLY_HUMAN_FORGED');
    expect(await post({ shown: digestOf('another'), token })).toContain('This is not what you saw before');
    expect(await post({ shown: 'x'.repeat(20_000), token })).toContain('CLY_BODY_TOO_LARGE');
  });

  it('forbids scripts, frames and foreign forms, and keeps its cookies from scripts', async () => {
    const ada = await world.visitor('ada');
    const { headers, html } = await ada.look(change.url);
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'self'; form-action 'self' http:\/\/localhost:\d+ http:\/\/127\.0\.0\.1:\d+; base-uri 'none'; frame-ancestors 'none'$/,
    );
    expect(html).not.toMatch(/<script|\son[a-z]+=|style="/i);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('shows hostile payloads as what they are', async () => {
    const body = JSON.stringify({ '<b>': '</pre><script>alert(1)</script>', note: 'pay \u202e0001 RUE\u200b' });
    const hostile = await held({ body });
    const ada = await world.visitor('ada');
    const { html } = await ada.look(hostile.url);
    expect(html).not.toContain('<script>');
    expect(html).toContain('&lt;/pre&gt;&lt;script&gt;');
    expect(html).toContain('<span class="hidden">U+202E</span>0001 RUE<span class="hidden">U+200B</span>');
  });

  it('does not let anybody approve what it cannot show', async () => {
    const ada = await world.visitor('ada');
    const large = await held({ body: JSON.stringify({ text: 'x'.repeat(300_000) }) });
    expect(textOf(await ada.look(large.url))).toContain('CLY_HUMAN_NOT_SHOWN');
  });

  it.each([
    ['/nothing', 404],
    ['/changes/acme/nothing', 404],
    ['/changes/acme/00000000-0000-7000-8000-000000000000', 404],
    ['/changes/ACME%2f..%2f/00000000-0000-7000-8000-000000000000', 404],
    ['/callback', 400],
    ['/callback?state=x&code=y', 400],
    ['/approvals/00000000000000000000000000000000', 404],
  ])('answers %s with %s', async (path, status) => {
    const ada = await world.visitor('ada');
    expect((await ada.look(path)).status).toBe(status);
  });
});
