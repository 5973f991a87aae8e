// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import { bundleLocation, checkpointName } from '@clyra/core/evidence/bundle-names';
import { POLICY_BYTES, POLICY_DIGEST, SCRIPT_TRUST, TENANT } from '@clyra/testing/fold-script';
import { grantedToken, History } from '@clyra/testing/history';
import { sealHistory } from '@clyra/testing/sealed-bundles';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli.ts';

type Report = {
  readonly faults: number;
  readonly logs: readonly { readonly tenant: string; readonly bundles: number; readonly leaves: number }[];
  readonly findings: readonly { readonly level: string; readonly code: string; readonly path: string }[];
};

const clock = { nowMs: () => 1_800_000_000_000, after: () => () => {} };
const random = { bytes: (size: number) => new Uint8Array(size).fill(5) };

let scratch: string;
let good: string;
let folder: string;
let locations: readonly string[];

const at = (name: string): string => join(folder, name);

async function clyra(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const stream = (to: string[]) => ({ write: (text: string) => to.push(text) });
  const machine = { stdout: stream(out), stderr: stream(err), clock, random };
  const code = await runCli(['--data-dir', join(scratch, 'data'), ...args], machine);
  return { code, out: out.join(''), err: err.join('') };
}

async function fsck(...args: readonly string[]): Promise<{ code: number; report: Report; faults: readonly string[] }> {
  const { code, out, err } = await clyra(
    '--json',
    'fsck',
    folder,
    '--trust-root',
    join(scratch, 'trust-root.json'),
    ...args,
  );
  if (out === '') throw new Error(err);
  const report = JSON.parse(out) as Report;
  const faults = report.findings.filter(({ level }) => level === 'fault').map((one) => `${one.code} ${one.path}`);
  return { code, report, faults };
}

async function put(root: string, name: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, name)), { recursive: true });
  await writeFile(join(root, name), bytes);
}

/** What a bundler leaves behind of a log of three bundles. */
async function writeFolder(root: string): Promise<readonly string[]> {
  const history = await new History().open();
  await history.run('run.opened', 'finance');
  const request = await history.request({}, { run_id: 'finance' });
  await history.outcome(request.folded.eventId);
  await history.transaction({ tokens: [grantedToken(request) ?? ''] });
  await history.closeWindow();
  await history.request({}, { run_id: 'finance' });
  await history.run('run.closed', 'finance');
  await history.transaction();
  await history.closeWindow();
  const written: string[] = [];
  for (const { envelope, files } of await sealHistory(history)) {
    const location = bundleLocation(TENANT, { start: envelope.range_start, end: envelope.range_end });
    written.push(location);
    for (const [name, bytes] of files) await put(root, `${location}/${name}`, bytes);
    await put(root, checkpointName(TENANT, envelope.range_end), files.get('checkpoint') as Uint8Array);
  }
  for (const [digest, bytes] of history.states) await put(root, `states/${digest}`, bytes);
  await put(root, `policies/${POLICY_DIGEST}`, POLICY_BYTES);
  return written;
}

describe('clyra fsck', () => {
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'clyra-fsck-test-'));
    good = join(scratch, 'good');
    locations = await writeFolder(good);
    await writeFile(join(scratch, 'trust-root.json'), SCRIPT_TRUST.bytes);
  });
  beforeEach(async () => {
    folder = join(scratch, 'folder');
    await rm(folder, { recursive: true, force: true });
    await cp(good, folder, { recursive: true });
  });
  afterAll(() => rm(scratch, { recursive: true }));

  it('finds nothing in what a bundler wrote, and says what it looked at', async () => {
    const { code, report } = await fsck();
    expect({ code, findings: report.findings }).toEqual({ code: 0, findings: [] });
    expect(report.logs).toEqual([{ tenant: TENANT, bundles: 3, leaves: expect.any(Number) }]);
    const { out } = await clyra('fsck', folder, '--trust-root', join(scratch, 'trust-root.json'));
    expect(out).toContain(`Nothing contradicts what ${folder} claims.`);
  });

  it('does not take a folder without a single blob for one that is whole', async () => {
    await rm(folder, { recursive: true });
    await mkdir(join(folder, 'states'), { recursive: true });
    const { code, faults } = await fsck();
    expect({ code, faults }).toEqual({ code: 1, faults: ['CLY_FSCK_EMPTY .'] });
  });

  it('names a changed line, and the bundle that no longer leads to its root', async () => {
    const name = `${locations[1]}/journal.jsonl`;
    const text = await readFile(at(name), 'utf8');
    await writeFile(at(name), text.replace('"mode":"gate"', '"mode":"gatf"'));
    const { code, faults } = await fsck();
    expect(code).toBe(1);
    expect(new Set(faults)).toContain(`CLY_FSCK_BUNDLE ${locations[1]}`);
    expect(new Set(faults)).toContain(`CLY_FSCK_CHAIN ${locations[1]}`);
    expect(faults.filter((fault) => fault.includes(String(locations[2])))).toEqual([]);
  });

  it('misses a bundle and its checkpoint', async () => {
    await rm(at(String(locations[1])), { recursive: true });
    const { faults } = await fsck();
    const end = Number(String(locations[1]).split('-').at(-1));
    expect(faults).toContain(`CLY_FSCK_GAP ${locations[2]}`);
    expect(faults).toContain(`CLY_FSCK_CHECKPOINT_ALONE ${checkpointName(TENANT, end)}`);
  });

  it('misses a checkpoint, and sees one of another tree', async () => {
    const [first, second] = locations.map((one) => checkpointName(TENANT, Number(one.split('-').at(-1))));
    await rm(at(String(first)));
    await writeFile(at(String(second)), await readFile(join(good, String(first))));
    const { faults } = await fsck();
    expect(faults).toEqual([`CLY_FSCK_CHECKPOINT_MISSING ${first}`, `CLY_FSCK_CHECKPOINT ${second}`]);
  });

  it('sees blobs that are not what their names promise, and files that nobody wrote', async () => {
    await writeFile(at(`policies/${POLICY_DIGEST}`), 'another');
    await put(folder, `documents/${digestOf(Buffer.from('x'))}`, Buffer.from('y'));
    await put(folder, 'notes.txt', Buffer.from('x'));
    await put(folder, `${locations[0]}/extra`, Buffer.from('x'));
    const { faults } = await fsck();
    expect(faults).toEqual([
      `CLY_FSCK_BLOB_DIGEST documents/${digestOf(Buffer.from('x'))}`,
      'CLY_FSCK_STRAY notes.txt',
      `CLY_FSCK_BLOB_DIGEST policies/${POLICY_DIGEST}`,
      `CLY_FSCK_BUNDLE ${locations[0]}`,
    ]);
  });

  it('judges a state by its own digest', async () => {
    const name = await anyState();
    await writeFile(at(name), Buffer.concat([await readFile(at(name)), Buffer.from('{"key":"zz","value":{}}\n')]));
    expect((await fsck()).faults).toEqual([`CLY_FSCK_BLOB_DIGEST ${name}`]);
  });

  it('sees a bundle under another name, and one that waits for its envelope', async () => {
    await rm(at(`${locations[2]}/manifest.dsse.json`));
    expect((await fsck()).report.findings.map(({ code, level }) => [code, level])).toEqual([
      ['CLY_FSCK_UNFINISHED', 'note'],
    ]);
    await rename(at(String(locations[0])), at(bundleLocation(TENANT, { start: 0, end: 999 })));
    const { faults } = await fsck();
    expect(faults).toContain(`CLY_FSCK_BUNDLE_NAME ${bundleLocation(TENANT, { start: 0, end: 999 })}`);
    expect(faults).toContain(`CLY_FSCK_GAP ${locations[1]}`);
  });

  it('compares tiles, exports and archives with the lines', async () => {
    const views = ['tiles', 'run', 'bundle.tar'].map((name) => join(scratch, name)) as [string, string, string];
    const [tiles, run, tar] = views;
    for (const view of views) await rm(view, { recursive: true, force: true });
    const paths = locations.map((location) => at(location));
    expect((await clyra('export', 'tiles', ...paths, '--out', tiles)).code).toBe(0);
    expect((await clyra('export', 'tar', String(paths[0]), '--out', tar)).code).toBe(0);
    const passed = await fsck('--tiles', tiles, '--export', tar);
    expect({ code: passed.code, faults: passed.faults }).toEqual({ code: 0, faults: [] });
    await writeFile(join(tiles, 'tile', '0', 'stray'), 'x');
    const bytes = await readFile(tar);
    bytes.writeUInt8(bytes.readUInt8(2_000) ^ 1, 2_000);
    await writeFile(tar, bytes);
    await cp(String(paths[0]), run, { recursive: true });
    await writeFile(join(run, 'journal.jsonl'), await readFile(at(`${locations[1]}/journal.jsonl`)));
    const { code, faults } = await fsck('--tiles', tiles, '--export', tar, run);
    expect(code).toBe(1);
    expect(faults).toContain(`CLY_FSCK_TILES ${join(tiles, 'tile', '0', 'stray')}`);
    expect(faults).toContain(`CLY_FSCK_EXPORT ${tar}`);
    expect(faults).toContain(`CLY_FSCK_EXPORT ${run}`);
  });

  it('says what to do where there is no folder', async () => {
    const { code, err } = await clyra('fsck', join(scratch, 'nowhere'));
    expect(code).toBe(2);
    expect(err).toContain('CLY_CLI_FOLDER');
  });
});

async function anyState(): Promise<string> {
  const states = await readdir(at('states'));
  return `states/${states[0]}`;
}
