// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { TENANT } from '@clyra/testing/fold-script';
import { writeFiles } from '@clyra/testing/write-files';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recipesConfig } from './config.ts';
import { DAMAGES, type Damage, type Desk } from './damages.ts';
import { type Recipe, readRecipes } from './read-recipes.ts';
import { type SentBundles, sendBundles } from './sent-bundles.ts';

const ROOT = join(import.meta.dirname, '../..');
const GO_MODULE = join(import.meta.dirname, recipesConfig.isLong ? 'go-long' : 'go');
const RUN_DEADLINE_MS = 120_000;
const TEST_DEADLINE_MS = 600_000;
const BUILD_DEADLINE_MS = 1_800_000;
/** Programs that the long recipes call, by the package that makes them. */
const PEERS = {
  fsck: 'github.com/transparency-dev/tessera/cmd/fsck',
  cosign: 'github.com/sigstore/cosign/v3/cmd/cosign',
};

const run = promisify(execFile);
let folder: string;
let sent: SentBundles;
let desks = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-recipes-'));
  sent = await sendBundles(folder);
  mkdirSync(join(folder, 'bin'));
  symlinkSync(join(ROOT, 'cli/bin/clyra'), join(folder, 'bin/clyra'));
  if (!recipesConfig.isLong) return;
  for (const [name, source] of Object.entries(PEERS)) {
    await run('go', ['build', '-o', join(folder, 'bin', name), source], { cwd: GO_MODULE, timeout: BUILD_DEADLINE_MS });
  }
}, BUILD_DEADLINE_MS);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The desk of an auditor: a bundle, a trust root, the programs of the page, and what the sender made for the recipe. */
async function receivedDesk({ files, sender }: Recipe): Promise<Desk> {
  const desk = nextDesk();
  cpSync(sent.paths.at(-1) as string, desk.bundle, { recursive: true });
  cpSync(GO_MODULE, desk.work, { recursive: true });
  cpSync(sent.trustRootFile, desk.trustRootFile);
  symlinkSync(join(ROOT, 'node_modules'), join(desk.work, 'node_modules'));
  writeFiles(desk.work, files);
  if (sender !== '') await printed(`set -e\n${sender}`, desk.work, desk);
  return desk;
}

function nextDesk(): Desk {
  desks += 1;
  const at = (name: string): string => join(folder, `desk-${desks}`, name);
  return { bundle: at('bundle'), work: at('work'), trustRootFile: at('trust-root.json') };
}

/** A copy, so that a damage stays where it belongs. */
function damagedDesk(desk: Desk, { apply }: Damage): Desk {
  const copy = nextDesk();
  cpSync(dirname(desk.work), dirname(copy.work), { recursive: true });
  apply(copy);
  return copy;
}

/** What a script printed, whatever its exit code: a recipe is judged by its line. */
async function printed(script: string, cwd: string, { bundle, work, trustRootFile }: Desk): Promise<string> {
  const env = {
    ...recipesConfig.env,
    PATH: [join(folder, 'bin'), join(ROOT, 'node_modules/.bin'), recipesConfig.env.PATH].join(delimiter),
    NODE_OPTIONS: '',
    BUNDLE: bundle,
    BUNDLES: sent.paths.join(' '),
    WORK: work,
    TRUST_ROOT: trustRootFile,
    TENANT,
    RECEIPT: sent.receiptId,
  };
  const ended = await run('bash', ['-u', '-c', script], { cwd, env, timeout: RUN_DEADLINE_MS }).catch(
    (failed: { stdout?: string; stderr?: string }) => failed,
  );
  return `${ended.stdout ?? ''}${ended.stderr ?? ''}`;
}

const guide = readRecipes(readFileSync(join(ROOT, 'docs/guides/foreign-tools.md'), 'utf8'));
const chosen = guide.filter(({ isLong }) => isLong === recipesConfig.isLong);

function checked(recipe: Recipe, cwd: (desk: Desk) => string): void {
  it(
    recipe.title,
    async () => {
      const desk = await receivedDesk(recipe);
      expect(await printed(recipe.script, cwd(desk), desk)).toContain(recipe.mustPrint);
      const damages = DAMAGES[recipe.title] ?? [];
      expect(damages.length).toBeGreaterThan(2);
      for (const damage of damages) {
        const damaged = damagedDesk(desk, damage);
        const said = await printed(recipe.script, cwd(damaged), damaged);
        expect([damage.what, said]).toEqual([damage.what, expect.not.stringContaining(recipe.mustPrint)]);
      }
    },
    TEST_DEADLINE_MS,
  );
}

describe('recipes of docs/guides/foreign-tools.md, on a good bundle and on damaged ones', () => {
  for (const recipe of chosen) checked(recipe, ({ work }) => work);
});

if (!recipesConfig.isLong) {
  describe('recipes of VERIFY.md', () => {
    // The page of a bundle is made before any test runs, so that each of its recipes is a test of its own.
    for (const recipe of recipesConfig.verifyPage) checked(recipe, ({ bundle }) => bundle);
  });
}

it('has a damage for each recipe and no other', () => {
  const titles = [...guide, ...recipesConfig.verifyPage].map(({ title }) => title);
  expect(Object.keys(DAMAGES).sort()).toEqual(titles.sort());
});
