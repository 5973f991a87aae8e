// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { isJsonObject } from '@clyra/core/canonical/json-value';
import { MANIFEST_BYTES_MAX } from '@clyra/core/evidence/manifest';
import { BundleFolder, type BundleLine } from '../bundle/bundle-folder.ts';
import { writeTar } from '../bundle/container.ts';
import { writeTiles } from '../bundle/tiles.ts';
import { verifyAll } from './batch-verifier.ts';
import type { TenantLog } from './check-log.ts';
import { DataFolder, fileDigest } from './data-folder.ts';
import type { Findings } from './finding.ts';

const HEADER_SIZE = 512;

type Check = {
  readonly logs: readonly TenantLog[];
  readonly findings: Findings;
  readonly trustRootFile: string | undefined;
};

/** A folder of tiles against the lines of its log: made again beside it, and compared file by file. */
export async function checkTiles(path: string, { logs, findings }: Check): Promise<void> {
  const given = new DataFolder(path);
  const origin = (await given.read('checkpoint').catch(() => Buffer.of())).toString('utf8').split('\n')[0];
  const size = Number((await given.read('checkpoint').catch(() => Buffer.of())).toString('utf8').split('\n')[1]);
  const log = logs.find(({ bundles }) => bundles[0]?.head.origin === origin);
  const upTo = log?.bundles.filter(({ head }) => head.range.end <= size) ?? [];
  if (upTo.at(-1)?.head.range.end !== size) {
    findings.add('CLY_FSCK_TILES', path, 'its checkpoint is that of no bundle of the folder');
    return;
  }
  await beside(async (scratch) => {
    try {
      await writeTiles(upTo, scratch);
    } catch (cause) {
      findings.add(
        'CLY_FSCK_TILES',
        path,
        `cannot be made again: ${cause instanceof Error ? cause.message : String(cause)}`,
      );
      return;
    }
    await compareFolders(given, new DataFolder(scratch), findings);
  });
}

async function compareFolders(given: DataFolder, made: DataFolder, findings: Findings): Promise<void> {
  const own = new Set((await given.files()).map(({ name }) => name));
  for (const { name } of await made.files()) {
    if (!own.delete(name)) findings.add('CLY_FSCK_TILES', join(given.path, name), 'is missing');
    else if (!(await given.read(name)).equals(await made.read(name))) {
      findings.add('CLY_FSCK_TILES', join(given.path, name), 'is not what the lines give');
    }
  }
  for (const name of own) findings.add('CLY_FSCK_TILES', join(given.path, name), 'belongs to no tile of this log');
}

/** An export against the bundle that it is of, or a bundle as one file against its folder. */
export async function checkExport(path: string, check: Check): Promise<void> {
  const { findings, trustRootFile } = check;
  const wrong = (what: string): void => findings.add('CLY_FSCK_EXPORT', path, what);
  const trust = trustRootFile === undefined ? [] : ['--trust-root', trustRootFile];
  const [verdict] = await verifyAll([[...trust, resolve(path)]]);
  for (const [id, status, code] of verdict?.claims ?? []) {
    if (status === 'FAIL' && id !== 'coverage') wrong(`${id} is FAIL ${code ?? ''}`);
  }
  if (verdict?.exit_code === 5) wrong('cannot be read');
  else if ((await stat(path)).isFile()) await compareTar(path, check, wrong);
  else await compareLines(path, check, wrong);
}

async function compareTar(path: string, { logs }: Check, wrong: (what: string) => void): Promise<void> {
  const given = await fileDigest(path);
  const manifest = await manifestOfTar(path);
  const bundle = bundlesOf(logs).find(({ manifestDigest }) => manifestDigest === manifest);
  if (bundle === undefined) return wrong('no bundle of the folder has its manifest');
  await beside(async (scratch) => {
    const made = join(scratch, 'bundle.tar');
    await writeTar(bundle, made);
    if ((await fileDigest(made)) !== given) wrong(`is not ${bundle.path} as one file`);
  });
}

/** The manifest is the first file of the archive, behind one header. */
async function manifestOfTar(path: string): Promise<Digest> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(
      Buffer.alloc(HEADER_SIZE + MANIFEST_BYTES_MAX),
      0,
      HEADER_SIZE + MANIFEST_BYTES_MAX,
      0,
    );
    const size = Number.parseInt(buffer.toString('latin1', 124, 135), 8);
    return digestOf(buffer.subarray(HEADER_SIZE, HEADER_SIZE + size));
  } finally {
    await file.close();
  }
}

async function compareLines(path: string, { logs }: Check, wrong: (what: string) => void): Promise<void> {
  const given = await BundleFolder.open(path);
  const scope = given.manifest['export'];
  const of = isJsonObject(scope) ? scope['of'] : given.manifestDigest;
  const bundle = bundlesOf(logs).find(({ manifestDigest }) => manifestDigest === of);
  if (bundle === undefined) return wrong('no bundle of the folder is the one that it is of');
  const originals = bundle.lines();
  for await (const line of given.lines()) {
    const original = (await originals.next()).value as BundleLine | undefined;
    const isSame = line.hash === original?.hash && (line.isReplaced || Buffer.from(line.bytes).equals(original.bytes));
    if (isSame) continue;
    return wrong(`leaf ${line.leaf} is not that of ${bundle.path}`);
  }
}

function bundlesOf(logs: readonly TenantLog[]): readonly BundleFolder[] {
  return logs.flatMap(({ bundles }) => bundles);
}

async function beside(work: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'clyra-fsck-'));
  try {
    await work(scratch);
  } finally {
    await rm(scratch, { recursive: true });
  }
}
