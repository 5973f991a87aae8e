// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@clyra/core/ports/logger';
import { SimClock } from '@clyra/testing/sim-clock';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Activation } from './activation.ts';
import { parseActivation } from './activation-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'clyra-activation-'));
afterAll(() => rmSync(folder, { recursive: true }));

const WHO = { name: 's', tenant: 'acme', actor: 'sync' };
const TOKEN = { header: 'authorization', value: 'Bearer made-for-a-test' };
const HIGHTOUCH = { ...WHO, kind: 'hightouch', token: TOKEN, ids: ['/id', '/updated_at'] };
const parse = (document: object): ReturnType<typeof parseActivation> =>
  parseActivation(Buffer.from(JSON.stringify(document)));

describe('the activation file', () => {
  it('says who delivers, what proves it, and what upstreams are sent', () => {
    const whsec = `whsec_${Buffer.from('0123456789abcdef').toString('base64')}`;
    const { sources, destinations } = parse({
      sources: [
        HIGHTOUCH,
        { ...WHO, name: 'segment', kind: 'segment', secrets: ['a plain text of Segment'] },
        { ...WHO, name: 'generic', kind: 'generic', secrets: [whsec], records: '/rows' },
      ],
      destinations: [{ upstream: 'crm', headers: { authorization: 'Bearer of the crm' } }],
    });
    expect(sources.get('s')).toMatchObject({ records: '', ids: ['/id', '/updated_at'], token: TOKEN });
    expect(Buffer.from(sources.get('segment')?.secrets[0] ?? []).toString()).toBe('a plain text of Segment');
    expect(sources.get('generic')).toMatchObject({ ids: [], records: '/rows' });
    expect(Buffer.from(sources.get('generic')?.secrets[0] ?? []).toString()).toBe('0123456789abcdef');
    expect(destinations.get('crm')).toEqual({ authorization: 'Bearer of the crm' });
    expect(parse({})).toEqual({ sources: new Map(), partners: new Map(), destinations: new Map() });
    const { partners } = parse({ partners: [{ name: 'pbx', tenant: 'acme', secrets: [whsec] }] });
    expect(partners.get('pbx')).toMatchObject({ tenant: 'acme', kind: 'generic' });
  });

  it.each<[string, object]>([
    ['unknown member', { source: [] }],
    ['sources is no list', { sources: {} }],
    ['sources[0] is no object', { sources: [1] }],
    ['sources[0] has an unknown member', { sources: [{ ...HIGHTOUCH, secret: 'x' }] }],
    ['sources[0].name', { sources: [{ ...HIGHTOUCH, name: 'A b' }] }],
    ['sources[0].kind', { sources: [{ ...HIGHTOUCH, kind: 'census' }] }],
    ['sources[0].tenant', { sources: [{ ...HIGHTOUCH, tenant: 'Not a tenant' }] }],
    ['sources[0].actor', { sources: [{ ...HIGHTOUCH, actor: '' }] }],
    ['sources[0].ids is missing', { sources: [{ ...HIGHTOUCH, ids: undefined }] }],
    ['sources[0].ids', { sources: [{ ...HIGHTOUCH, ids: ['id'] }] }],
    ['sources[0].records', { sources: [{ ...HIGHTOUCH, records: 'rows' }] }],
    ['needs a token', { sources: [{ ...HIGHTOUCH, token: undefined }] }],
    ['sources[0].token.value', { sources: [{ ...HIGHTOUCH, token: { value: 'short' } }] }],
    ['sources[0].token.header', { sources: [{ ...HIGHTOUCH, token: { ...TOKEN, header: 'A B' } }] }],
    ['needs secrets', { sources: [{ ...WHO, kind: 'generic' }] }],
    ['under 16 bytes', { sources: [{ ...WHO, kind: 'segment', secrets: ['short'] }] }],
    ['base64', { sources: [{ ...WHO, kind: 'generic', secrets: ['whsec_???????????????????????'] }] }],
    ['s stands twice', { sources: [HIGHTOUCH, HIGHTOUCH] }],
    ['partners[0] needs secrets', { partners: [{ name: 'pbx', tenant: 'acme' }] }],
    ['partners[0] has an unknown member', { partners: [{ name: 'pbx', tenant: 'acme', actor: 'x' }] }],
    ['destinations[0].upstream', { destinations: [{ headers: { a: 'b' } }] }],
    ['set by the gateway', { destinations: [{ upstream: 'crm', headers: { 'x-tenant-id': 'other' } }] }],
    ['header name', { destinations: [{ upstream: 'crm', headers: { 'A B': 'c' } }] }],
    ['acceptable value', { destinations: [{ upstream: 'crm', headers: { a: 'b\r\nc: d' } }] }],
    ['write 1 to 8', { destinations: [{ upstream: 'crm', headers: {} }] }],
  ])('is refused with what to correct: %s', (words, document) => {
    expect(() => parse(document)).toThrow(words);
    expect(() => parse(document)).toThrow(expect.objectContaining({ code: 'CLY_ACTIVATION_INVALID' }));
  });

  it('names no secret in what it refuses', () => {
    const file = { sources: [{ ...HIGHTOUCH, token: { header: 'x y', value: TOKEN.value } }] };
    expect(() => parse(file)).toThrow(expect.not.stringContaining('made-for-a-test') as unknown as string);
  });

  it('is closed to others, and read again when something changed', async () => {
    const path = join(folder, 'activation.json');
    const write = (names: readonly string[]): void =>
      writeFileSync(path, JSON.stringify({ sources: names.map((name) => ({ ...HIGHTOUCH, name })) }), { mode: 0o644 });
    write(['one']);
    const clock = new SimClock();
    const parts = { path, clock, logger: silentLogger };
    await expect(Activation.open(parts)).rejects.toThrow('chmod 600');
    await expect(Activation.open({ ...parts, path: `${path}.none` })).rejects.toThrow('ENOENT');
    chmodSync(path, 0o600);
    const activation = await Activation.open(parts);
    expect(activation.hookOf('/hooks/one/users?x=/1')).toMatchObject({ target: '/users?x=/1' });
    expect(
      ['/hooks/two/users', '/hooks/one', '/hook/one/a', '/hooks/One/a'].map((at) => activation.hookOf(at)),
    ).toEqual([undefined, undefined, undefined, undefined]);
    write(['two']);
    expect(await activation.refresh()).toBe(false);
    await clock.advance(1_000);
    expect(await activation.refresh()).toBe(true);
    expect(activation.hookOf('/hooks/two/users')?.source.name).toBe('two');
    writeFileSync(path, 'nonsense');
    await clock.advance(1_000);
    expect(await activation.refresh()).toBe(false);
    expect(activation.hookOf('/hooks/two/users')?.source.name).toBe('two');
  });
});
