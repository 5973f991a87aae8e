// SPDX-License-Identifier: Apache-2.0
import { createHash, createPrivateKey } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { POLICY_DIGEST, SCRIPT_KEYS, SCRIPT_TRUST } from '@clyra/testing/fold-script';
import { grantedToken, History } from '@clyra/testing/history';
import { sealHistory } from '@clyra/testing/sealed-bundles';
import { writeFiles } from '@clyra/testing/write-files';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli.ts';

let folder: string;
let attestor: string;
/** Copies of the two bundles of one log, by number. */
const at = (name: string): string => join(folder, name);
let copies = 0;

async function clyra(...args: readonly string[]): Promise<{ code: number; value: JsonObject; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const machine = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    clock: { nowMs: () => 1_800_000_000_000, after: () => () => {} },
    random: { bytes: (size: number) => new Uint8Array(size).fill(5) },
  };
  const code = await runCli(['--data-dir', at('data'), '--json', ...args], machine);
  const text = out.join('');
  return { code, value: text === '' ? {} : (JSON.parse(text) as JsonObject), err: err.join('') };
}

const replay = (bundle: string, ...more: readonly string[]): ReturnType<typeof clyra> =>
  clyra('replay', bundle, '--trust-root', at('trust-root.json'), ...more);

/** The PEM of a test key (libs/testing/src/test-keys.ts). */
function pemOf(subject: string): string {
  const seed = createHash('sha256').update(`test key of ${subject}`).digest();
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return key.export({ format: 'pem', type: 'pkcs8' }) as string;
}

/** Two bundles: refusals of every kind of line, a policy that never came into force, a run that spans both. */
async function story(): Promise<History> {
  const history = await new History().open();
  await history.run('run.opened', 'one');
  for (let index = 0; index < 6; index += 1) {
    history.nowMs += 1_000;
    const request = await history.request({}, { run_id: 'one' });
    await history.outcome(request.folded.eventId);
    await history.transaction({ tokens: [grantedToken(request) ?? ''] });
  }
  await history.forged();
  const unknown = { policy: digestOf('a policy that nobody stored'), replaces: POLICY_DIGEST };
  await history.append(await history.script.commandBody('policy.activated', unknown, [SCRIPT_KEYS.author]));
  await history.closeWindow();
  await history.request({ route: 'audiences.push', idempotency: null }, { run_id: 'one' });
  await history.run('run.closed', 'one');
  return history;
}

/** A copy of a bundle whose journal has one text replaced by another, the first time after a place. */
async function altered(bundle: string, change: (text: string) => string): Promise<string> {
  copies += 1;
  const copy = at(`copy-${copies}`);
  await cp(at(bundle), copy, { recursive: true });
  const text = await readFile(join(copy, 'journal.jsonl'), 'utf8');
  const next = change(text);
  expect(next).not.toBe(text);
  await writeFile(join(copy, 'journal.jsonl'), next);
  return copy;
}

async function without(bundle: string, artifact: string): Promise<string> {
  copies += 1;
  const copy = at(`copy-${copies}`);
  await cp(at(bundle), copy, { recursive: true });
  await rm(join(copy, 'artifacts', artifact));
  return copy;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-replay-'));
  for (const [index, sealed] of (await sealHistory(await story())).entries()) {
    writeFiles(at(`bundle-${index}`), sealed.files);
  }
  await writeFile(at('trust-root.json'), SCRIPT_TRUST.bytes);
  attestor = at('attestor.pem');
  await writeFile(attestor, pemOf('attestor-1'), { mode: 0o600 });
});

afterAll(() => rm(folder, { recursive: true }));

describe('clyra replay', () => {
  it('derives every body of every bundle again, and signs that it did', async () => {
    for (const bundle of ['bundle-0', 'bundle-1']) {
      const certificate = at(`${bundle}/replay.dsse.json`);
      const { code, value } = await replay(at(bundle), '--out', certificate, '--key', attestor);
      const missing = bundle === 'bundle-0' ? ['CLY_REPLAY_DOCUMENT_ASSUMED'] : [];
      expect((value['not_compared'] as JsonObject[]).map((one) => one['code'])).toEqual(missing);
      expect([code, value['result']]).toEqual(bundle === 'bundle-0' ? [4, 'partial'] : [0, 'success']);
      const decided = (await readFile(at(`${bundle}/journal.jsonl`), 'utf8')).match(/"kind":"(decided|recorded)","/g);
      expect(decided).not.toBeNull();
      const report = await verifyBundle({ directory: at(bundle), mode: 'full', trustRootFile: at('trust-root.json') });
      const claim = report.claims.find(({ id }) => id === 'reperformance');
      expect(claim?.status).toBe(bundle === 'bundle-0' ? 'PARTIAL' : 'PASS');
      await rm(certificate);
    }
  });

  it('counts a body for each decided line, and a state for each cut', async () => {
    const lines = (await readFile(at('bundle-1/journal.jsonl'), 'utf8')).trimEnd().split('\n');
    const decided = lines.map((line) => JSON.parse(line) as JsonObject).filter(({ kind }) => kind === 'decided');
    const { value } = await replay(at('bundle-1'));
    expect(value['compared']).toEqual([
      { count: decided.length, what: 'bodies' },
      { count: 1, what: 'states' },
    ]);
    expect(value['inputs']).toEqual([SCRIPT_TRUST.root.digest]);
  });

  it('names the first receipt that is another than the journal gives', async () => {
    const bundle = await altered('bundle-0', (text) => {
      const lines = text.split('\n');
      const index = lines.findIndex((line) => line.includes('"change_kind":"change.requested"'));
      lines[index] = String(lines[index]).replace('"decision":"allow"', '"decision":"block"');
      return lines.join('\n');
    });
    const { code, value } = await replay(bundle);
    const lines = (await readFile(at('bundle-0/journal.jsonl'), 'utf8')).split('\n');
    const leaf = lines.findIndex((line) => line.includes('"change_kind":"change.requested"'));
    expect([code, value['result'], value['first_difference']]).toEqual([
      1,
      'failed',
      { leaf, member: 'receipt.body.decision' },
    ]);
  });

  it('names the first line whose input was altered', async () => {
    const bundle = await altered('bundle-1', (text) => text.replace('"method":"POST"', '"method":"PUT"'));
    const { code, value } = await replay(bundle);
    expect([code, value['result']]).toEqual([1, 'failed']);
    const lines = (await readFile(join(bundle, 'journal.jsonl'), 'utf8')).split('\n');
    const start = (JSON.parse(await readFile(at('bundle-1/manifest.json'), 'utf8')) as JsonObject)[
      'range'
    ] as JsonObject;
    const leaf = (start['start'] as number) + lines.findIndex((line) => line.includes('"method":"PUT"'));
    expect(value['first_difference']).toMatchObject({ leaf });
  });

  it('fails over a line that no body depends on', async () => {
    const bundle = await altered('bundle-0', (text) =>
      text.replace('"reason":"token_and_effect"', '"reason":"token_unknown"'),
    );
    expect((await replay(bundle)).value['first_difference']).toEqual({ leaf: null, member: 'root' });
  });

  it('is partial without the policy, and names it; finds it beside the bundle', async () => {
    const bundle = await without('bundle-1', POLICY_DIGEST);
    const { code, value } = await replay(bundle);
    expect([code, value['result']]).toEqual([4, 'partial']);
    expect(value['not_compared']).toEqual([
      { code: 'CLY_REPLAY_ARTIFACT_WITHHELD', count: expect.any(Number), first: `policy ${POLICY_DIGEST}` },
    ]);
    const beside = await replay(bundle, '--artifacts', at('bundle-0'));
    expect([beside.code, beside.value['inputs']]).toEqual([0, [POLICY_DIGEST, SCRIPT_TRUST.root.digest].sort()]);
  });

  it('is partial without the opening state, unless the bundles before it lead there', async () => {
    const manifest = JSON.parse(await readFile(at('bundle-1/manifest.json'), 'utf8')) as JsonObject;
    const state = (manifest['artifacts'] as JsonObject[]).find(({ kind }) => kind === 'state')?.['sha256'] as string;
    const bundle = await without('bundle-1', state);
    const alone = await replay(bundle);
    expect(alone.value['not_compared']).toMatchObject([{ first: `state ${manifest['opening_state'] as string}` }]);
    expect(await replay(bundle, '--previous', at('bundle-0'))).toMatchObject({ code: 0, value: { result: 'success' } });
    const bad = await altered('bundle-0', (text) => text.replace('"decision":"allow"', '"decision":"block"'));
    const { value } = await replay(bundle, '--previous', bad);
    expect(value).toMatchObject({ result: 'partial', not_compared: [{ code: 'CLY_REPLAY_PREVIOUS_DIFFERS' }] });
  });

  it('is partial without the trust root that the bundle names', async () => {
    const { value } = await clyra('--data-dir', at('nothing'), 'replay', at('bundle-0'));
    expect(value['not_compared']).toMatchObject([{ first: `trust_root ${SCRIPT_TRUST.root.digest}` }]);
    expect(value['compared']).toEqual([]);
  });
});
