// SPDX-License-Identifier: Apache-2.0
import { openIdentityProvider } from '@clyra/adapter-oidc/open-identity-provider';
import type { IdentityProvider, SignInWish } from '@clyra/core/ports/identity-provider';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ForgedTokens, type Forgery } from './forged-tokens.ts';

const WISH: SignInWish = {
  state: 'state-1',
  nonce: 'nonce-1',
  redirectUri: 'http://127.0.0.1:1/callback',
  maxAgeSeconds: 60,
};
const clock = { nowMs: () => Date.now() };
const now = (): number => Math.floor(Date.now() / 1_000);

describe('a token of an identity provider', () => {
  let lying: ForgedTokens;
  let provider: IdentityProvider;
  beforeAll(async () => {
    lying = await ForgedTokens.start();
    const { issuer } = lying;
    provider = openIdentityProvider({ issuer, clientId: 'client', clientSecret: 'secret', deadlineMs: 2_000 }, clock);
  });
  afterAll(() => lying.close());
  beforeEach(() => {
    lying.nonce = WISH.nonce;
  });

  const finish = async (forgery: Forgery, query = 'code=c&state=state-1') => {
    lying.forgery = forgery;
    const { codeVerifier } = await provider.begin(WISH);
    return provider.finish(`${WISH.redirectUri}?${query}`, WISH, codeVerifier);
  };

  it('is accepted as it should be, and proves itself with the keys beside it', async () => {
    const person = await finish({ claims: { amr: ['pwd', 'hwk', 'mfa'], acr: 'two', name: 'Ada' } });
    expect(person).toMatchObject({ subject: 'ada', name: 'Ada', amr: ['pwd', 'hwk', 'mfa'], acr: 'two' });
    expect(person.claims['nonce']).toBe(WISH.nonce);
    expect(person.idToken.split('.')).toHaveLength(3);
    expect((JSON.parse(person.jwks) as { keys: unknown[] }).keys).toHaveLength(1);
  });

  it.each<[string, Forgery, string]>([
    ['answers another question', { claims: { nonce: 'nonce-2' } }, 'CLY_OIDC_NONCE'],
    ['answers no question', { claims: { nonce: undefined } }, 'CLY_OIDC_TOKEN'],
    ['is of another issuer', { claims: { iss: 'https://evil.example.com' } }, 'CLY_OIDC_TOKEN'],
    ['is for another client', { claims: { aud: 'other' } }, 'CLY_OIDC_TOKEN'],
    ['is over', { claims: { exp: now() - 600, iat: now() - 1_200 } }, 'CLY_OIDC_TOKEN'],
    ['tells of an old sign-in', { claims: { auth_time: now() - 3_600 } }, 'CLY_OIDC_LOGIN_AGE'],
    ['does not say when', { claims: { auth_time: undefined } }, 'CLY_OIDC_TOKEN'],
    ['has no signature', { alg: 'none' }, 'CLY_OIDC_TOKEN'],
    ['is signed with a shared secret', { alg: 'HS256' }, 'CLY_OIDC_TOKEN'],
    ['is signed by another key', { isForeignKey: true }, 'CLY_OIDC_TOKEN'],
    ['has methods that are no list', { claims: { amr: 'mfa' } }, 'CLY_OIDC_TOKEN'],
    ['is a page', { answer: { status: 200, body: '<html>', type: 'text/html' } }, 'CLY_OIDC_UNREACHABLE'],
    [
      'is refused',
      { answer: { status: 400, body: '{"error":"invalid_grant"}', type: 'application/json' } },
      'CLY_OIDC_TOKEN',
    ],
  ])('that %s is refused', async (_name, forgery, code) => {
    await expect(finish(forgery)).rejects.toMatchObject({ code });
  });

  it.each([
    ['error=access_denied&state=state-1', 'CLY_OIDC_DENIED'],
    ['code=c&state=state-2', 'CLY_OIDC_TOKEN'],
    ['code=c', 'CLY_OIDC_TOKEN'],
  ])('is not even asked for at %s', async (query, code) => {
    await expect(finish({}, query)).rejects.toMatchObject({ code });
  });

  it('that nobody gives is an outage, not a refusal', async () => {
    const settings = { issuer: 'http://127.0.0.1:9', clientId: 'client', deadlineMs: 500 };
    const gone = openIdentityProvider(settings, clock);
    await expect(gone.begin(WISH)).rejects.toMatchObject({ code: 'CLY_OIDC_UNREACHABLE', retry: 'backoff' });
  });
});
