// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseIdentity, readIdentityFile } from './identity-file.ts';

const provider = { name: 'corp', issuer: 'https://login.example.com/t1', client_id: 'clyra', tenants: ['acme'] };
const sound = { public_url: 'https://approve.example.com', providers: [provider] };
const parse = (document: object) => parseIdentity(Buffer.from(JSON.stringify(document)));

describe('the identity file', () => {
  it('names providers, and what is left out has a meaning', () => {
    expect(parse(sound)).toEqual({
      publicUrl: 'https://approve.example.com',
      providers: [
        expect.objectContaining({
          title: 'corp',
          issuer: 'https://login.example.com/t1',
          domain: 'login.example.com',
          clientSecret: undefined,
          require: undefined,
          acrMethods: {},
        }),
      ],
    });
  });

  it.each<[string, object, string]>([
    ['an address in the clear', { public_url: 'http://approve.example.com' }, 'public_url is no https address'],
    ['an address with a path', { public_url: 'https://example.com/approve' }, 'public_url has a path'],
    ['an address with a password', { public_url: 'https://a:b@example.com' }, 'public_url is no https address'],
    ['no provider', { providers: [] }, 'providers is no list'],
    ['an unknown member', { extra: 1 }, 'unknown member extra'],
    ['a provider in the clear', { providers: [{ ...provider, issuer: 'http://login.example.com' }] }, 'issuer'],
    ['a misspelt member', { providers: [{ ...provider, clientid: 'x' }] }, 'unknown member clientid'],
    ['no tenants', { providers: [{ ...provider, tenants: [] }] }, 'tenants'],
    ['half a claim', { providers: [{ ...provider, require: { claim: 'groups' } }] }, 'require.value'],
    ['methods that are no list', { providers: [{ ...provider, acr_methods: { two: 'mfa' } }] }, 'acr_methods'],
    ['a name twice', { providers: [provider, { ...provider, domain: 'other.example' }] }, 'the name corp'],
    ['a domain twice', { providers: [provider, { ...provider, name: 'other' }] }, 'the domain login.example.com'],
  ])('with %s is refused, and says where', (_name, change, words) => {
    expect(() => parse({ ...sound, ...change })).toThrow(words);
  });

  it('that others can read, is absent, or is no JSON is refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clyra-identity-'));
    const path = join(folder, 'identity.json');
    await expect(readIdentityFile(path)).rejects.toMatchObject({ code: 'CLY_IDENTITY_INVALID' });
    await writeFile(path, JSON.stringify(sound));
    await chmod(path, 0o644);
    await expect(readIdentityFile(path)).rejects.toThrow('chmod 600');
    await chmod(path, 0o600);
    expect((await readIdentityFile(path)).providers).toHaveLength(1);
    await writeFile(path, '{"public_url": "https://a.example", "public_url": ""}');
    await expect(readIdentityFile(path)).rejects.toThrow('no acceptable JSON');
    await rm(folder, { recursive: true });
  });
});
