// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyFile } from '@clyra/adapter-signing/file-signer';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli.ts';

let folder: string;
let nowMs: number;
const at = (name: string): string => join(folder, name);

async function clyra(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const streams = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({ write: (text: string) => (streams[name] += text) });
  const clock = { nowMs: () => nowMs, after: () => () => {} };
  const random = { bytes: (size: number) => new Uint8Array(size).fill(5) };
  const machine = { stdout: stream('out'), stderr: stream('err'), clock, random };
  const code = await runCli(['--data-dir', at('none'), ...args], machine);
  return { code, ...streams };
}

const draft = async (name: string, document: JsonObject): Promise<string> => {
  await writeFile(at(name), JSON.stringify(document));
  return at(name);
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-trust-'));
  nowMs = 1_800_000_000_000;
  for (const name of ['alice', 'bob', 'log', 'witness']) await createKeyFile(at(`${name}.pem`));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const FIRST: JsonObject = {
  log_origin: 'acme.example/log',
  thresholds: { root: 2, tsa: 1, witness: 1 },
  valid_days: 400,
  keys: [
    { key: 'alice.pem', roles: ['root'], subject: 'alice', operator: 'acme' },
    { key: 'bob.pem', roles: ['root'], subject: 'bob', operator: 'acme' },
    { key: 'log.pem', roles: ['log', 'bundler'], subject: 'log', operator: 'acme' },
  ],
};

async function first(): Promise<string> {
  const path = await draft('first.json', FIRST);
  const made = await clyra('trust', 'new', path, '--key', at('alice.pem'), '--out', at('v'));
  expect([made.code, made.out]).toEqual([0, expect.stringContaining('1 of the 2 root subjects')]);
  expect((await clyra('trust', 'check', at('v/trust-root-1.json'))).code).toBe(2);
  expect((await clyra('trust', 'sign', at('v/trust-root-1.json'), '--key', at('bob.pem'))).code).toBe(0);
  return at('v/trust-root-1.json');
}

describe('clyra trust', () => {
  it('makes version 1 that two people sign, each with their own key', async () => {
    const path = await first();
    const checked = await clyra('trust', 'check', path);
    expect([checked.code, checked.out]).toEqual([0, expect.stringContaining('version 1 stands')]);
    const shown = await clyra('trust', 'show', path);
    expect(shown.out).toContain(parseTrustRoot(await readFile(path)).digest);
  });

  it('adds a witness, then revokes a key, and reads the whole chain', async () => {
    const v1 = await first();
    nowMs += 1_000;
    const more = await draft('more.json', {
      keys: [{ key: 'witness.pem', roles: ['witness'], subject: 'w', operator: 'elsewhere', name: 'w.example/1' }],
    });
    const both = ['--key', at('alice.pem'), '--key', at('bob.pem'), '--out', at('v')];
    expect((await clyra('trust', 'rotate', more, '--from', v1, ...both)).code).toBe(0);
    const v2 = at('v/trust-root-2.json');
    const logKey =
      [...parseTrustRoot(await readFile(v2)).keys.values()].find((key) => key.roles.has('log'))?.keyId ?? '';
    const when = ['--reason', 'laptop stolen', '--at', '2027-01-10T00:00:00Z'];
    expect((await clyra('trust', 'revoke', logKey, '--from', v2, ...when, ...both)).code).toBe(0);
    const v3 = at('v/trust-root-3.json');
    expect(parseTrustRoot(await readFile(v3)).keys.get(logKey)?.revokedAtMs).toBe(Date.parse('2027-01-10'));
    expect((await clyra('trust', 'check', v1, v2, v3)).code).toBe(0);
    const skipped = await clyra('trust', 'check', v1, v3);
    expect([skipped.code, skipped.err]).toEqual([2, expect.stringContaining('CLY_TRUST_ROOT_VERSION')]);
    const back = await clyra('trust', 'check', v3, v2);
    expect([back.code, back.err]).toEqual([2, expect.stringContaining('CLY_TRUST_ROOT_ROLLBACK')]);
    const policy = await clyra('trust', 'show', v2, '--tlog-policy', 'crm');
    expect(policy.out).toMatch(/^log acme\.example\/log\/crm\+[0-9a-f]{8}\+\S+\nwitness w0-0 w\.example\/1\+/);
    expect(policy.out).toContain('quorum outside');
  });

  it('says what is wrong with a draft, an id or a file', async () => {
    const v1 = await first();
    const key = ['--key', at('alice.pem'), '--out', at('w')];
    const odd = await draft('odd.json', { ...FIRST, colour: 'red' });
    expect((await clyra('trust', 'new', odd, ...key)).err).toContain('CLY_TRUST_DRAFT');
    const role = await draft('role.json', {
      ...FIRST,
      keys: [{ key: 'alice.pem', roles: ['king'], subject: 'a', operator: 'b' }],
    });
    expect((await clyra('trust', 'new', role, ...key)).err).toContain('CLY_TRUST_ROOT_INVALID');
    const unknown = await clyra('trust', 'revoke', 'nobody', '--from', v1, '--reason', 'x', ...key);
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('CLY_TRUST_ENTRY')]);
    expect((await clyra('trust', 'check', at('missing.json'))).err).toContain('CLY_TRUST_FILE');
    const again = await clyra(
      'trust',
      'new',
      await draft('b.json', { ...FIRST, valid_days: 5 }),
      '--key',
      at('alice.pem'),
      '--out',
      at('v'),
    );
    expect(again.err).toContain('exists and says something else');
  });
});

describe('clyra keys', () => {
  it('makes a key once, and lists what keys may do', async () => {
    const made = await clyra('--json', 'keys', 'new', at('new.pem'), '--note-name', 'w.example/1');
    const value = JSON.parse(made.out) as { key_id: string; vkey: string };
    expect(value.vkey).toMatch(/^w\.example\/1\+[0-9a-f]{8}\+/);
    expect((await clyra('keys', 'new', at('new.pem'))).code).toBe(2);
    const v1 = await first();
    const listed = await clyra('keys', 'list', at('log.pem'), at('new.pem'), '--trust-root', v1);
    expect(listed.out).toContain('log bundler');
    expect(listed.out).toContain('not in the trust root');
    expect(listed.out).toContain(value.key_id);
  });
});
