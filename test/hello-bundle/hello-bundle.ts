// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BundleFolder } from '@clyra/cli/bundle/bundle-folder';
import { DocumentShelf } from '@clyra/cli/replay/document-shelf';
import { reperformBundle } from '@clyra/cli/replay/reperform-bundle';
import { signReplay } from '@clyra/core/replay/replay-certificate';
import { SCRIPT_KEYS, SCRIPT_TRUST } from '@clyra/testing/fold-script';
import { grantedToken, History } from '@clyra/testing/history';
import { sealHistory } from '@clyra/testing/sealed-bundles';
import { runAction } from './run-action.ts';

/** The template's folder in this repository. */
export const TEMPLATE = new URL('../../packs/hello-bundle/', import.meta.url).pathname;

const POLICY = {
  format: 'clyra/verification-policy/v0',
  name: 'hello: no outside time, no witness',
  require: ['integrity', 'order', 'completeness', 'authorship', 'policy', 'reconciliation', 'reperformance'],
};

/** One run: a sync that wrote what it was granted, a repeated one that was blocked, a push that waits for a person. */
async function story(): Promise<History> {
  const history = await new History().open();
  await history.run('run.opened', 'hello');
  for (let index = 0; index < 3; index += 1) {
    history.nowMs += 1_000;
    const request = await history.request({}, { run_id: 'hello' });
    await history.transaction({ tokens: [grantedToken(request) ?? ''] });
    await history.outcome(request.folded.eventId);
  }
  await history.request({ route: 'audiences.push', idempotency: null }, { run_id: 'hello' });
  history.nowMs += 1_000;
  await history.watermark();
  await history.run('run.closed', 'hello');
  return history;
}

/** The made files of the template by path: everything but its README and its workflow. */
export async function helloFiles(): Promise<ReadonlyMap<string, Uint8Array>> {
  const folder = await mkdtemp(join(tmpdir(), 'clyra-hello-'));
  try {
    const files = new Map<string, Uint8Array>();
    const [sealed] = await sealHistory(await story());
    for (const [name, bytes] of sealed?.files ?? []) files.set(`bundles/hello/${name}`, bytes);
    files.set('trust-root.json', SCRIPT_TRUST.bytes);
    files.set('policy.json', Buffer.from(`${JSON.stringify(POLICY, undefined, 2)}\n`));
    await writeAll(folder, files);
    files.set('bundles/hello/replay.dsse.json', await certificateOf(folder));
    await writeAll(folder, files);
    const { code, said } = await runAction(folder);
    if (code !== 0) throw new Error(`the action does not accept the bundle: ${said}`);
    files.set('evidence.svg', await readFile(join(folder, 'evidence.svg')));
    return files;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function certificateOf(folder: string): Promise<Uint8Array> {
  const bundle = await BundleFolder.open(join(folder, 'bundles/hello'));
  const shelf = await DocumentShelf.open([join(folder, 'trust-root.json')]);
  const outcome = (await reperformBundle({ bundle, previous: [], shelf })).outcome();
  const { manifestDigest, head, manifest } = bundle;
  const replayed = { manifestDigest, origin: head.origin, range: head.range, engine: manifest['engine'] as number };
  const performer = { name: 'clyra-test', version: '0.0.0' };
  return signReplay({ kind: 'reperformance', bundle: replayed, outcome, performer }, SCRIPT_KEYS.attestor);
}

export async function writeAll(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [name, bytes] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}
