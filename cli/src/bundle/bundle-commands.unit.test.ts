// SPDX-License-Identifier: Apache-2.0
import { createHash, createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Commitment } from '@clyra/core/canonical/commitment-value';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { VoiceFact } from '@clyra/core/change/change-body';
import { committed } from '@clyra/core/disclosure/commitment';
import { encodeValues } from '@clyra/core/disclosure/disclosures';
import { rootFromPath } from '@clyra/core/merkle/audit-path';
import { leafHash } from '@clyra/core/merkle/hash';
import { SCRIPT_TRUST } from '@clyra/testing/fold-script';
import { grantedToken, History } from '@clyra/testing/history';
import { type SealedBundle, sealHistory } from '@clyra/testing/sealed-bundles';
import { writeFiles } from '@clyra/testing/write-files';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli.ts';

const EVIDENCE_KEY = Buffer.alloc(32, 9);
const clock = { nowMs: () => 1_800_000_000_000, after: () => () => {} };
const random = { bytes: (size: number) => new Uint8Array(size).fill(5) };

let folder: string;
let bundles: readonly { readonly path: string; readonly sealed: SealedBundle }[];
let receiptId: string;

async function clyra(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const machine = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    clock,
    random,
  };
  const code = await runCli(['--data-dir', join(folder, 'data'), ...args], machine);
  return { code, out: out.join(''), err: err.join('') };
}

/** The key of the operator of the test trust root (libs/testing/src/test-keys.ts), as a file. */
function operatorPem(): string {
  const seed = createHash('sha256').update('test key of olga').digest();
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string;
}

const at = (name: string): string => join(folder, name);
const json = (text: string): JsonObject => JSON.parse(text) as JsonObject;

/** Two runs of two teams, with values that their intake committed to. */
async function twoTeams(): Promise<History> {
  const history = await new History().open();
  const correlation = { actor_principal: 'svc <7>', session_id: { $commit: digestOf('session') } };
  for (const run of ['finance', 'people']) await history.run('run.opened', run, { correlation });
  await history.run('run.opened', 'finance', { correlation: { actor_principal: 'refused: it is open' } });
  for (const run of ['finance', 'people', 'finance']) {
    const { body } = committed({ facts: { origin: `10.0.0.${run.length}` } }, ['/facts/origin'], EVIDENCE_KEY);
    const origin = (body['facts'] as JsonObject)['origin'] as unknown as Commitment;
    const request = await history.request({ origin, voice: [call(run)] }, { run_id: run });
    await history.outcome(request.folded.eventId);
    await history.transaction({ tokens: [grantedToken(request) ?? ''] });
    if (run === 'finance') receiptId = String(request.receipt['receipt_id']);
  }
  await history.transaction();
  await history.closeWindow();
  await history.request({}, { run_id: 'finance' });
  await history.run('run.closed', 'finance');
  return history;
}

function call(run: string): VoiceFact {
  const told = { disclaimer_played: true, disclaimer_acknowledged: true, barge_in_available: null };
  return { rule: 'calls', session: `call-of-${run}`, ...told, barge_in_window_ms: null, asserted_by: 'caller' };
}

async function statuses(path: string, trustRootFile: string): Promise<Record<string, string>> {
  const report = await verifyBundle({ directory: path, mode: 'full', trustRootFile });
  return Object.fromEntries(report.claims.map(({ id, status, code }) => [id, `${status} ${code ?? ''}`.trim()]));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-bundles-'));
  const sealed = await sealHistory(await twoTeams());
  bundles = await Promise.all(
    sealed.map(async (bundle, index) => {
      const path = at(`bundle-${index}`);
      writeFiles(path, bundle.files);
      return { path, sealed: bundle };
    }),
  );
  await writeFile(at('trust-root.json'), SCRIPT_TRUST.bytes);
  await writeFile(at('operator.pem'), operatorPem(), { mode: 0o600 });
  expect(bundles.length).toBe(2);
});

afterAll(() => rm(folder, { recursive: true }));

describe('clyra export run', () => {
  it('shows one run under the same root, and the verifier follows it', async () => {
    const { code, out } = await clyra(
      '--json',
      'export',
      'run',
      'finance',
      bundles[0]?.path ?? '',
      '--out',
      at('finance'),
      '--key',
      at('operator.pem'),
    );
    expect([code, json(out)['shown']]).toEqual([0, expect.any(Number)]);
    const journal = await readFile(at('finance/journal.jsonl'), 'utf8');
    expect(journal).not.toContain('"run_id":"people"');
    const claims = await statuses(at('finance'), at('trust-root.json'));
    expect(claims).toMatchObject({
      integrity: 'PASS',
      authorship: 'PASS',
      completeness: 'PARTIAL CLY_EXPORT_PARTIAL',
    });
  });

  it('refuses a run that the bundle does not have', async () => {
    const asked = [
      'export',
      'run',
      'nobody',
      bundles[0]?.path ?? '',
      '--out',
      at('nobody'),
      '--key',
      at('operator.pem'),
    ];
    const { code, err } = await clyra(...asked);
    expect([code, err]).toEqual([2, expect.stringContaining('CLY_CLI_ARGUMENT')]);
  });

  it('never writes into a folder that is there', async () => {
    const asked = ['export', 'run', 'finance', bundles[0]?.path ?? '', '--out', folder, '--key', at('operator.pem')];
    expect((await clyra(...asked)).err).toContain('CLY_CLI_OUTPUT');
  });
});

describe('clyra prove and clyra consistency', () => {
  it('prove that a receipt stands in the log', async () => {
    const { code } = await clyra('prove', receiptId, '--bundle', bundles[0]?.path ?? '', '--out', at('r.tlog-proof'));
    expect(code).toBe(0);
    const [version, index, ...rest] = (await readFile(at('r.tlog-proof'), 'utf8')).split('\n');
    const path = rest.slice(0, rest.indexOf('')).map((line) => Buffer.from(line, 'base64').toString('hex'));
    const [, size, root] = rest.slice(rest.indexOf('') + 1);
    expect(version).toBe('c2sp.org/tlog-proof@v1');
    const leaf = leafHash(await readFile(at('r.tlog-proof.leaf')));
    const place = { index: Number(index?.slice('index '.length)), size: Number(size), path };
    expect(rootFromPath(leaf, place)).toBe(Buffer.from(root ?? '', 'base64').toString('hex'));
  });

  it('prove that one checkpoint extends another, also across bundles', async () => {
    const paths = bundles.map(({ path }) => path);
    const first = json((await clyra('--json', 'consistency', ...paths, '--from', '3')).out);
    const head = bundles.at(-1)?.sealed.envelope;
    expect(first).toMatchObject({ from: { size: 3 }, to: { size: head?.range_end } });
    const middle = bundles[0]?.sealed.envelope.range_end ?? 0;
    const second = json((await clyra('--json', 'consistency', paths[1] ?? '', '--from', String(middle))).out);
    const checkpoint = Buffer.from(bundles[0]?.sealed.files.get('checkpoint') ?? '')
      .toString()
      .split('\n');
    expect((second['from'] as JsonObject)['root']).toBe(Buffer.from(checkpoint[2] ?? '', 'base64').toString('hex'));
  });

  it('say what they cannot prove', async () => {
    expect((await clyra('prove', 'nothing', '--bundle', bundles[0]?.path ?? '')).err).toContain('CLY_CLI_ARGUMENT');
    expect((await clyra('consistency', bundles[1]?.path ?? '', '--from', '1')).err).toContain('must begin at leaf 1');
    expect((await clyra('prove', '0', '--bundle', folder)).err).toContain('CLY_CLI_BUNDLE');
  });
});

describe('views for foreign tools', () => {
  it('are sums that sha256sum would print', async () => {
    const { out } = await clyra('export', 'sums', bundles[0]?.path ?? '');
    for (const [name, bytes] of bundles[0]?.sealed.files ?? []) {
      expect(out).toContain(`${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`);
    }
  });

  it('are a Sigstore bundle that names the signing key', async () => {
    const asked = [
      'export',
      'sigstore',
      bundles[0]?.path ?? '',
      '--out',
      at('s.json'),
      '--trust-root',
      at('trust-root.json'),
    ];
    expect((await clyra(...asked)).code).toBe(0);
    expect(json(await readFile(at('s.json'), 'utf8'))).toMatchObject({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) } },
    });
  });

  it('are tiles of every leaf', async () => {
    const { code } = await clyra('export', 'tiles', ...bundles.map(({ path }) => path), '--out', at('tiles'));
    expect(code).toBe(0);
    const leaves = bundles.at(-1)?.sealed.envelope.range_end ?? 0;
    const hashes = await readFile(at(`tiles/tile/0/000.p/${leaves}`));
    const [first] = Buffer.from(bundles[0]?.sealed.files.get('journal.jsonl') ?? '')
      .toString()
      .split('\n');
    expect([hashes.length, hashes.subarray(0, 32).toString('hex')]).toEqual([
      32 * leaves,
      leafHash(Buffer.from(first ?? '')),
    ]);
    expect((await readFile(at(`tiles/tile/entries/000.p/${leaves}`))).readUInt16BE()).toBe(first?.length);
  });

  it('are one file that the verifier takes for the folder', async () => {
    expect((await clyra('export', 'tar', bundles[1]?.path ?? '', '--out', at('b.tar'))).code).toBe(0);
    const root = at('trust-root.json');
    expect(await statuses(at('b.tar'), root)).toEqual(await statuses(bundles[1]?.path ?? '', root));
  });
});

describe('clyra disclose and clyra redact', () => {
  it('open what was kept, seal it to an auditor, and withhold lines', async () => {
    const values = [7, 6].map((length) => ({ epoch: 1, pointer: '/facts/origin', value: `10.0.0.${length}` }));
    await writeFile(at('values.jsonl'), encodeValues(values.slice(0, 1)));
    await writeFile(at('evidence.key'), EVIDENCE_KEY, { mode: 0o600 });
    const make = ['disclose', 'make', bundles[0]?.path ?? '', '--values', at('values.jsonl'), '--key'];
    make.push(`1=${at('evidence.key')}`, '--out');
    const made = await clyra('--json', ...make, at('d.jsonl'));
    expect(json(made.out)).toMatchObject({ disclosed: 2, withheld: 3 });
    const report = await verifyBundle({
      directory: bundles[0]?.path ?? '',
      mode: 'full',
      disclosuresFile: at('d.jsonl'),
    });
    expect(report.claims.find(({ id }) => id === 'disclosure')?.status).toBe('PASS');
    const publicKey = (await clyra('disclose', 'keygen', '--out', at('auditor.key'))).out.trim();
    await clyra(...make, at('d.sealed'), '--seal-to', publicKey);
    await clyra('disclose', 'open', at('d.sealed'), '--key', at('auditor.key'), '--out', at('opened.jsonl'));
    expect((await readFile(at('opened.jsonl'))).equals(await readFile(at('d.jsonl')))).toBe(true);
    const redacted = await clyra(
      '--json',
      'redact',
      bundles[0]?.path ?? '',
      '--withhold',
      'run:finance',
      '--out',
      at('redacted'),
      '--key',
      at('operator.pem'),
      '--disclosures',
      at('d.jsonl'),
      '--disclosures-out',
      at('left.jsonl'),
    );
    expect(json(redacted.out)).toMatchObject({ disclosures: 0 });
    expect(await readFile(at('redacted/journal.jsonl'), 'utf8')).not.toContain('"run_id":"finance"');
    expect(await statuses(at('redacted'), at('trust-root.json'))).toMatchObject({
      integrity: 'PASS',
      authorship: 'PASS',
    });
  });

  it('refuse a key that others may read, and the cut', async () => {
    await writeFile(at('open.key'), EVIDENCE_KEY, { mode: 0o644 });
    const asked = [
      'disclose',
      'make',
      bundles[0]?.path ?? '',
      '--values',
      at('values.jsonl'),
      '--key',
      `1=${at('open.key')}`,
    ];
    expect((await clyra(...asked, '--out', at('x'))).err).toContain('CLY_KEY_FILE');
    const last = (bundles[0]?.sealed.envelope.range_end ?? 0) - 1;
    const cut = [
      'redact',
      bundles[0]?.path ?? '',
      '--withhold',
      `leaf:${last}`,
      '--out',
      at('no'),
      '--key',
      at('operator.pem'),
    ];
    expect((await clyra(...cut)).err).toContain('cannot be withheld');
  });
});

describe('clyra inspect', () => {
  it('writes one page that loads nothing, and shows what strangers wrote as text', async () => {
    const page = at('page.html');
    const { code, out } = await clyra(
      'inspect',
      bundles[0]?.path ?? '',
      '--out',
      page,
      '--trust-root',
      at('trust-root.json'),
    );
    expect([code, out]).toEqual([0, expect.stringContaining('the verifier says')]);
    const html = await readFile(page, 'utf8');
    for (const shown of [
      'unattributed',
      'contacts.sync',
      'finance',
      digestOf(SCRIPT_TRUST.bytes),
      'What this does not prove',
      'Names in logs of partners',
      'svc &lt;7&gt;',
      `{&quot;$commit&quot;:&quot;${digestOf('session')}&quot;}`,
      '<td>call-of-people</td>',
    ]) {
      expect(html).toContain(shown);
    }
    expect(html).not.toContain('refused: it is open');
    expect(html).not.toMatch(/<script|src=|href=|url\(/);
  });
});
