// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { CommandChange } from '@clyra/core/change/change-body';
import { commandSigners } from '@clyra/core/enforcement/command-signers';
import { SIGNATURE_HEADERS, verifyRequestMac } from '@clyra/core/inspection/request-signature';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ensureCredential } from './local/credentials.ts';
import { keyFileOf, localLayout } from './local/layout.ts';
import { prepareLocal } from './local/prepare-local.ts';
import { runCli } from './run-cli.ts';

const NOW_MS = 1_800_000_000_000;
const clock = { nowMs: () => NOW_MS, after: () => () => {} };
const random = { bytes: (size: number) => new Uint8Array(size).fill(5) };

type Asked = {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, unknown>;
  readonly body: string;
};
type Sent = {
  command: JsonObject;
  signatures: { key_id: string; sig: string }[];
  documents: { name: string; content: string }[];
};

const EVENT = '01900000-0000-7000-8000-000000000001';
const POLICY = 'format: clyra/policy/v0\nname: trial\nroutes: []\n';

let dataDir: string;
let trustRoot: TrustRoot;
let intake: Server;
let intakeUrl: string;
let asked: Asked[] = [];
let answer: (request: Asked) => { status: number; body: JsonObject } | string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'clyra-cli-'));
  trustRoot = (await prepareLocal(dataDir, { clock, random })).trustRoot;
  await ensureCredential(localLayout(dataDir).credentialsFile, { tenant: 'acme' }, random);
  intake = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
      asked.push(one);
      const answered = answer(one);
      response.statusCode = typeof answered === 'string' ? 200 : answered.status;
      response.end(typeof answered === 'string' ? answered : JSON.stringify(answered.body));
    });
  });
  await new Promise<void>((resolve) => void intake.listen(0, '127.0.0.1', resolve));
  intakeUrl = `http://127.0.0.1:${(intake.address() as { port: number }).port}`;
});
afterAll(async () => {
  await new Promise((resolve) => intake.close(resolve));
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(() => {
  answer = () => ({ status: 200, body: decided('allow') });
});
afterEach(() => {
  asked = [];
});

/** As intake answers: the names of the receipt, or problem details with its reasons. */
function decided(decision: string, reasons: JsonObject[] = []): JsonObject {
  return { decision, event_id: 'e-1', receipt_id: 'r-1', tenant_seq: 4, reasons };
}

async function clyra(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const stdout = { write: (text: string) => (out += text) };
  const stderr = { write: (text: string) => (err += text) };
  const code = await runCli(['--data-dir', dataDir, '--intake', intakeUrl, ...args], { stdout, stderr, clock, random });
  return { code, out, err };
}

/** The command that was sent, with the people whose signatures hold under the real rules. */
function sentCommand(): Sent & { subjects: string[] } {
  const sent = JSON.parse(asked.at(-1)?.body ?? '') as Sent;
  const change = { command: sent.command, signatures: sent.signatures } as unknown as CommandChange;
  const subjects = commandSigners(trustRoot, change, NOW_MS).map(({ subject }) => subject);
  return { ...sent, subjects };
}

describe('signed commands', () => {
  it('open a tenant with the trust root beside the command', async () => {
    const { code, out } = await clyra('tenant', 'open', 'acme', '--partition', '3');
    const { command, documents, subjects } = sentCommand();
    expect([code, asked.at(-1)?.url]).toEqual([0, '/v1/commands']);
    expect(out).toContain("✓ open tenant acme: done\n  event e-1, receipt r-1, number 4 of the tenant's log");
    expect(subjects).toEqual(['local:operator']);
    expect(command).toEqual({
      kind: 'tenant.opened',
      tenant: 'acme',
      issued_at: NOW_MS,
      expires_at: NOW_MS + 600_000,
      subject: 'local:operator',
      replaces: null,
      partition: 3,
      engine: 1,
      trust_root: trustRoot.digest,
      policy: null,
    });
    expect(documents.map(({ name, content }) => [name, digestOf(Buffer.from(content, 'base64'))])).toEqual([
      ['trust_root', trustRoot.digest],
    ]);
  });

  it('activate a policy with author and approver, replacing what intake says is in force', async () => {
    const file = join(dataDir, 'policy.yaml');
    await writeFile(file, POLICY);
    const inForce = 'cd'.repeat(32);
    answer = ({ method }) =>
      method === 'GET'
        ? { status: 200, body: { tenant: 'acme', policy: inForce } }
        : { status: 200, body: decided('allow') };
    const { code } = await clyra('policy', 'apply', file, '--tenant', 'acme');
    const { command, documents, subjects } = sentCommand();
    expect([code, subjects]).toEqual([0, ['local:policy-author', 'local:policy-approver']]);
    expect(command['replaces']).toBe(inForce);
    expect(documents[0]?.name).toBe('policy');
    expect(digestOf(Buffer.from(documents[0]?.content ?? '', 'base64'))).toBe(command['policy']);
  });

  it('engage a switch with one operator and lift it with two', async () => {
    await clyra('kill-switch', 'engage', 'acme', '--scope', 'route:contacts.sync', '--reason', 'drill');
    expect([sentCommand().subjects, sentCommand().command['scope']]).toEqual([
      ['local:operator'],
      'route:contacts.sync',
    ]);
    await clyra('kill-switch', 'lift', 'acme', '--reason', 'over');
    expect(sentCommand().subjects).toEqual(['local:operator', 'local:second-operator']);
  });

  it('resolve an unknown change with one operator', async () => {
    const { code } = await clyra('change', 'resolve', EVENT, '--tenant', 'acme', '--as', 'not_done');
    const { command, subjects } = sentCommand();
    expect([code, subjects, command['of'], command['resolution']]).toEqual([0, ['local:operator'], EVENT, 'not_done']);
  });

  it('can be signed with other keys than the local ones', async () => {
    const key = keyFileOf(localLayout(dataDir), 'second-operator');
    await clyra('kill-switch', 'engage', 'acme', '--reason', 'drill', '--key', key);
    expect(sentCommand()).toMatchObject({
      subjects: ['local:second-operator'],
      command: { subject: 'local:second-operator' },
    });
  });

  it('exit with 1 and say why where the log refuses them', async () => {
    const reason = {
      code: 'CLY_COMMAND_ROLE',
      effect: 'block',
      rule: 'commands',
      threat_class: 'operation',
      owasp: [],
    };
    answer = () => ({ status: 403, body: decided('block', [reason]) });
    const { code, out } = await clyra('kill-switch', 'engage', 'acme', '--reason', 'drill');
    expect(code).toBe(1);
    expect(out).toContain('no signer has the role');
  });
});

describe('requests of a caller', () => {
  it('are signed with the credential of the tenant', async () => {
    answer = () => ({ status: 201, body: { ...decided('allow'), run_id: 'nightly' } });
    const { code, out } = await clyra('run', 'open', '--run-id', 'nightly', '--actor', 'agent-1');
    const { headers, method, url, body } = asked[0] as Asked;
    const header = (name: keyof typeof SIGNATURE_HEADERS): string => String(headers[SIGNATURE_HEADERS[name]] ?? '');
    const signed = {
      method,
      target: url,
      tenant: header('tenant'),
      actor: header('actor'),
      timestamp: header('timestamp'),
      nonce: header('nonce'),
      idempotencyKey: '',
      runId: '',
      contentDigest: header('contentDigest'),
    };
    expect(verifyRequestMac(new Uint8Array(32).fill(5), signed, header('signature'))).toBe(true);
    expect(header('actor')).toBe('agent-1');
    expect([code, JSON.parse(body)]).toEqual([0, { run_id: 'nightly' }]);
    expect(out).toContain('✓ open run nightly: done');
  });

  it('say under which names a partner knows the run', async () => {
    answer = () => ({ status: 201, body: { ...decided('allow'), run_id: 'nightly' } });
    const names = ['--actor-principal', 'svc|7', '--approver-principal', 'ann', '--client-app-id', 'dialer'];
    await clyra('run', 'open', ...names, '--session-id', 'vs-42');
    const all = { actor_principal: 'svc|7', approver_principal: 'ann', client_app_id: 'dialer', session_id: 'vs-42' };
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ correlation: all });
    await clyra('run', 'open', '--session-id', 'vs-42');
    expect(JSON.parse(asked[1]?.body ?? '')).toEqual({ correlation: { session_id: 'vs-42' } });
  });

  it('explain where a change stands, in words or as JSON', async () => {
    const body = { event_id: 'e-1', tenant: 'acme', state: 'blocked', codes: ['CLY_VELOCITY_EXCEEDED'] };
    answer = () => ({ status: 200, body });
    const words = await clyra('explain', 'e-1');
    expect(asked[0]?.url).toBe('/v1/changes/e-1');
    expect(words.out).toContain('Event e-1 of tenant acme: blocked');
    expect(words.out).toContain('too many actions in the window of a rate limit');
    expect(words.out).toContain('→ Wait until the window has room');
    const json = await clyra('--json', 'explain', 'e-1');
    expect(JSON.parse(json.out)).toEqual(body);
  });

  it('close a run with no body, and tell its count', async () => {
    answer = () => ({ status: 200, body: { ...decided('allow'), run_id: 'nightly', count: 7 } });
    const { out } = await clyra('run', 'close', 'nightly');
    expect([asked[0]?.url, asked[0]?.body]).toEqual(['/v1/runs/nightly/close', '']);
    expect(out).toContain('✓ close run nightly after 7 receipts: done');
  });

  it('pass on what intake refuses, with its code', async () => {
    answer = () => ({ status: 410, body: { code: 'CLY_CHANGE_GONE', detail: 'look into the bundle' } });
    const { code, err } = await clyra('explain', 'e-1');
    expect(code).toBe(2);
    expect(err).toContain('look into the bundle');
    expect(err).toContain('(CLY_CHANGE_GONE)');
  });
});

describe('wrong use', () => {
  it.each([
    [['nope'], 2, 'unknown command'],
    [['kill-switch', 'engage', 'acme'], 2, "required option '--reason <text>'"],
    [['kill-switch', 'engage', 'acme', '--reason', 'x', '--scope', 'all'], 2, 'a scope is `tenant`'],
    [['change', 'resolve', 'e', '--tenant', 'acme', '--as', 'done'], 2, 'an event id is a UUID'],
    [['change', 'resolve', EVENT, '--tenant', 'acme'], 2, "required option '--as"],
    [['tenant', 'open', 'ACME'], 2, 'ACME is not a tenant'],
    [['tenant', 'open', 'acme', '--partition', 'x'], 2, 'it is not a whole number'],
    [
      ['source', 'add', 'crm', '--tenant', 'acme', '--url', 'mysql://x', '--guard', 'a.b'],
      2,
      'postgres://user:password@',
    ],
    [['topics', 'apply', '--profile', 'huge'], 2, 'Allowed choices are local, production'],
    [['explain', 'e', '--tenant', 'nobody'], 2, 'clyra tenant open'],
    [['--data-dir', '/nowhere/at/all', 'tenant', 'open', 'acme'], 2, '`clyra up`'],
    [['--intake', 'http://127.0.0.1:1', 'explain', 'e'], 5, 'start it with `clyra up`'],
  ])('clyra %j exits with %i and says what to do', async (args, code, text) => {
    const result = await clyra(...args);
    expect(result.err).toContain(text);
    expect(result.code).toBe(code);
  });

  it('names every place of a wrong policy', async () => {
    const file = join(dataDir, 'wrong.yaml');
    await writeFile(file, 'format: clyra/policy/v0\nname: trial\nroutes: 7\nunknown: 1\n');
    const { code, err } = await clyra('policy', 'check', file);
    expect(code).toBe(2);
    expect(err).toMatch(/3:\d+ \/routes.*\n4:\d+ \/unknown/);
  });

  it('says that something else answers at the address', async () => {
    answer = () => '<html>';
    expect((await clyra('explain', 'e')).err).toContain('is it intake?');
  });

  it('prints help with exit codes and succeeds', async () => {
    const { code, out } = await clyra('--help');
    expect([code, out.includes('Exit codes:')]).toEqual([0, true]);
  });

  it('prints its version with the formats that it writes', async () => {
    const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    const { code, out } = await clyra('--version');
    expect([code, out.split(' (')[0]]).toEqual([0, `clyra ${version}`]);
    expect(out).toContain('clyra/bundle/v0, engine 1');
  });

  it('tells machines errors as JSON', async () => {
    const { err } = await clyra('--json', 'tenant', 'open', 'ACME');
    expect(JSON.parse(err)).toMatchObject({ error: 'CLY_CLI_ARGUMENT' });
  });

  it.each([['tenant', 'open'], ['nosuch'], [], ['keys'], ['inspect', '--out']])(
    'tells machines wrong arguments as one JSON value: %j',
    async (...args) => {
      const { code, out, err } = await clyra('--json', ...args);
      expect([code, out]).toEqual([2, '']);
      expect(JSON.parse(err)).toMatchObject({ error: 'CLY_CLI_ARGUMENT' });
    },
  );

  it('takes a path that cannot be used for a wrong path, not for a bug', async () => {
    const file = join(dataDir, 'policy.yaml');
    await writeFile(file, '');
    for (const args of [
      ['trust', 'show', join(dataDir, 'nothing')],
      ['trust', 'show', dataDir],
      ['--data-dir', file, 'status'],
    ]) {
      const { code, err } = await clyra(...args);
      expect([code, err]).toEqual([
        2,
        expect.stringMatching(/^✗ .*cannot be used .*check the path\n {2}\(CLY_CLI_FILE\)\n$/),
      ]);
    }
  });

  it('takes a file that is there already, or is too large, for no bug either', async () => {
    const [taken, huge] = [join(dataDir, 'taken.tar'), join(dataDir, 'huge.json')];
    await writeFile(taken, '');
    await writeFile(huge, '');
    await truncate(huge, 3 * 2 ** 30);
    const bundle = join(import.meta.dirname, '../../packs/hello-bundle/bundles/hello');
    for (const [args, words] of [
      [['export', 'tar', bundle, '--out', taken], 'it is there already'],
      [['trust', 'show', huge], 'larger than what this command reads'],
    ] as const) {
      const { code, err } = await clyra(...args);
      expect([code, err]).toEqual([2, expect.stringContaining(words)]);
    }
  });

  it.each(['--artifacts', '--body-keys', '--trust-root'])('replays nothing where %s names nothing', async (option) => {
    const bundle = join(import.meta.dirname, '../../packs/hello-bundle/bundles/hello');
    const { code, err } = await clyra('replay', bundle, option, join(dataDir, 'nothing'));
    expect([code, err]).toEqual([2, expect.stringContaining('CLY_CLI_FILE')]);
  });
});
