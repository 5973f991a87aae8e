// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { type ScratchPostgres, startScratchPostgres } from '@clyra/adapter-postgres/test-support/scratch-postgres';
import { type BrokenCopy, breakCopy, namesThePlace } from '@clyra/cli/quickstart/break-copy';
import { digestOf } from '@clyra/core/canonical/digest';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { e2eSizes } from './config.ts';
import { freeBase } from './free-base.ts';
import { answeringPorts, processesNaming } from './left-overs.ts';
import { type Ended, REPOSITORY, runClyra } from './run-clyra.ts';
import { readStoryTable } from './story-table.ts';

const { flipCount, seed: baseSeed } = e2eSizes();
const RUN_MS = 170_000;
/** What it leaves depends on the clock, not on its text alone. */
const UNDETERMINED = 'update accounts set reviewed_at = now() where id = 1';
const SECOND_FIRST_DECISION_S = 20;
/** The stack, the services above it, and room. */
const PORT_COUNT = 24;
const POLICY = join(REPOSITORY, 'packs/verification/quickstart.json');

let folder: string;
let ports: readonly number[];
let first: Ended;
let second: Ended;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-e2e-quickstart-'));
  // As root, PostgreSQL runs as another user, who must get in.
  await chmod(folder, 0o755);
  const portBase = await freeBase(PORT_COUNT);
  ports = Array.from({ length: PORT_COUNT }, (_, index) => portBase + index);
  const args = ['--data-dir', folder, 'quickstart', '--port-base', String(portBase), '--seed', String(baseSeed)];
  first = await runClyra(args, RUN_MS);
  second = await runClyra([...args, '--statement', UNDETERMINED], RUN_MS);
}, 2 * RUN_MS);

afterAll(async () => {
  await runClyra(['--data-dir', folder, 'down', '--wipe'], 60_000);
  await rm(folder, { recursive: true, force: true });
}, 90_000);

describe('the quickstart', () => {
  it('ends well and shows what was allowed, blocked, held and bypassed', () => {
    expect({ code: first.code, stderr: first.code === 0 ? '' : first.stderr }).toEqual({ code: 0, stderr: '' });
    expect(readStoryTable(first.stdout)).toEqual(STORY);
  });

  it('seals a bundle that is complete: each allowed change is matched with its one transaction', async () => {
    const manifest = JSON.parse(await readFile(join(bundleOf(first), 'manifest.json'), 'utf8')) as Manifest;
    expect(manifest.decisions).toMatchObject({ hold: 1, block: 4 });
    expect(manifest.gaps).toEqual([]);
    expect(manifest.reconciliation).toMatchObject({
      state: 'final',
      matched: 334,
      unattributed: 1,
      grants_unused: 0,
      pending: 0,
      exceeded: 0,
      reused: 0,
      claimed_unproved: 0,
    });
  });

  it('has more than 99 % of the lineage conclusive, and the rest by name', () => {
    const said = first.stdout;
    expect(said).toContain('Findings: 1 of 335 judged effects (matched 334,');
    expect(Number(/lineage conclusive ([\d.]+) %/.exec(said)?.[1])).toBeGreaterThan(99);
    expect(said.match(/^ {2}unattributed \(no_token\): observation [0-9a-f]{32}, leaf \d+, line \d+$/gm)).toHaveLength(
      1,
    );
  });

  it('shows a flipped byte being found', () => {
    expect(first.stdout).toMatch(
      new RegExp(`was flipped in a copy \\(seed ${baseSeed}\\), and the verifier said:\n {2}INVALID: `),
    );
  });

  it(
    'leaves a bundle that verifies under the named policy, and not without one',
    async () => {
      const args = ['verify', '--trust-root', join(folder, 'trust-root.json')];
      const under = await runClyra([...args, '--policy', POLICY, bundleOf(first)], 60_000);
      expect({ code: under.code, said: under.stdout }).toMatchObject({
        code: 0,
        said: expect.stringContaining('VALID'),
      });
      // Without a policy an outside time and a witness are required as well, and a local installation has neither.
      const strict = await runClyra([...args, bundleOf(first)], 60_000);
      expect(strict.code).toBe(4);
    },
    RUN_MS,
  );

  it(
    `names the place of each of ${flipCount} flipped bits`,
    async () => {
      const directory = bundleOf(first);
      const target = { directory, trustRootFile: join(folder, 'trust-root.json'), policyFile: POLICY };
      const flips: { seed: number; broken: BrokenCopy }[] = [];
      for (let index = 0; index < flipCount; index += 1) {
        const seed = (baseSeed + index * 7_919) % 2 ** 31;
        flips.push({ seed, broken: await breakCopy(target, seed) });
      }
      const rows = flips.map(({ seed, broken }) => {
        const named = namesThePlace(broken) ? 'named' : 'NOT NAMED';
        return `  seed ${seed}: bit ${broken.bit} of byte ${broken.byte} of ${broken.file}: ${named}, ${broken.report.verdict}`;
      });
      process.stdout.write(`\nFlipped bits\n${rows.join('\n')}\n`);
      const missed = flips.filter(({ broken }) => !namesThePlace(broken) || broken.report.exitCode === 0);
      expect(missed.map(({ seed }) => seed)).toEqual([]);
    },
    RUN_MS,
  );

  it('starts a second time on the same data, reaches its first decision in time and seals the next bundle', async () => {
    expect({ code: second.code, stderr: second.code === 0 ? '' : second.stderr }).toEqual({ code: 0, stderr: '' });
    expect(readStoryTable(second.stdout)).toEqual(SECOND_STORY);
    const [firstS, secondS] = [firstDecisionOf(first), firstDecisionOf(second)];
    process.stdout.write(`\nFirst decision after ${firstS} s, at the second start after ${secondS} s\n`);
    process.stdout.write(`All of it took ${seconds(first)} s, then ${seconds(second)} s\n`);
    expect(secondS).toBeLessThanOrEqual(SECOND_FIRST_DECISION_S);
    const [before, after] = await Promise.all(
      [first, second].map(
        async (run) => JSON.parse(await readFile(join(bundleOf(run), 'manifest.json'), 'utf8')) as Manifest,
      ),
    );
    expect(after?.range.start).toBeGreaterThanOrEqual(before?.range.end ?? Number.NaN);
  });

  it.each([
    ['first', () => first],
    ['second', () => second],
  ])(
    'leaves bundles whose decisions follow from the journal again: the %s',
    async (_which, run) => {
      const certificate = join(bundleOf(run()), 'replay.dsse.json');
      const replayed = await replay(bundleOf(run()), '--out', certificate);
      const { decisions } = JSON.parse(await readFile(join(bundleOf(run()), 'manifest.json'), 'utf8')) as Manifest;
      const bodies = Object.values(decisions).reduce((sum, count) => sum + count, 0);
      expect(replayed).toMatchObject({
        code: 0,
        said: { result: 'success', not_compared: [], first_difference: null },
      });
      expect(replayed.said['compared']).toContainEqual({ count: bodies, what: 'bodies' });
      const args = ['--json', 'verify', '--trust-root', join(folder, 'trust-root.json'), '--policy', POLICY];
      const { stdout } = await runClyra([...args, bundleOf(run())], 60_000);
      expect(JSON.parse(stdout).claims).toContainEqual(
        expect.objectContaining({ id: 'reperformance', status: 'PASS' }),
      );
      // The time-stamping authority of this machine is the producer's own: its word is there, and counts as such.
      expect(JSON.parse(stdout).claims).toContainEqual(
        expect.objectContaining({ id: 'time', status: 'PARTIAL', code: 'CLY_TIME_INSIDE' }),
      );
      await rm(certificate);
    },
    RUN_MS,
  );

  it(
    'names the receipt that was altered in a copy, and the artifact that was withheld from one',
    async () => {
      const { copy, leaf } = await alteredCopy();
      const altered = await replay(copy);
      expect(altered).toMatchObject({
        code: 1,
        said: { result: 'failed', first_difference: { leaf, member: 'receipt.body.decision' } },
      });
      await rm(copy, { recursive: true });
      await cp(bundleOf(second), copy, { recursive: true });
      const { policies } = JSON.parse(await readFile(join(copy, 'manifest.json'), 'utf8')) as { policies: string[] };
      await rm(join(copy, 'artifacts', String(policies[0])));
      expect(await replay(copy)).toMatchObject({
        code: 4,
        said: {
          result: 'partial',
          not_compared: [{ code: 'CLY_REPLAY_ARTIFACT_WITHHELD', first: `policy ${policies[0]}` }],
        },
      });
    },
    RUN_MS,
  );

  describe('whose changes are done again in a scratch database', () => {
    let server: ScratchPostgres;
    beforeAll(async () => {
      server = await startScratchPostgres();
    }, RUN_MS);
    afterAll(() => server.stop());

    const again = (run: Ended): ReturnType<typeof replay> => {
      const { host, port, user, database } = server.connection;
      const scratch = `postgres://${user}@${host}:${port}/${database}`;
      const kit = kitOf(run);
      return replay(
        bundleOf(run),
        '--data',
        kit,
        '--artifacts',
        dirname(kit),
        '--upstream',
        'crm',
        '--scratch',
        scratch,
      );
    };

    it(
      'leave what was there',
      async () => {
        const { code, said } = await again(first);
        expect({ code, said }).toMatchObject({ code: 0, said: { result: 'success', not_compared: [] } });
        expect(said['compared']).toEqual([
          { count: 16, what: 'columns' },
          { count: 3, what: 'relations' },
        ]);
      },
      RUN_MS,
    );

    it(
      'cannot all be compared where a statement depends on the clock, and it is named',
      async () => {
        const { code, said } = await again(second);
        const lines = (await readFile(join(bundleOf(second), 'journal.jsonl'), 'utf8')).split('\n');
        const { start } = (JSON.parse(await readFile(join(bundleOf(second), 'manifest.json'), 'utf8')) as Manifest)
          .range;
        const leaf = start + lines.findIndex((line) => line.includes(digestOf(UNDETERMINED)));
        expect({ code, said }).toMatchObject({ code: 4, said: { result: 'partial', first_difference: null } });
        expect(said['not_compared']).toEqual([
          {
            code: 'CLY_REPLAY_NOT_DETERMINED',
            count: 1,
            first: expect.stringMatching(
              new RegExp(`^public\\.accounts\\.reviewed_at, since event \\S+ \\(leaf ${leaf}\\)$`),
            ),
          },
        ]);
      },
      RUN_MS,
    );
  });

  it('leaves nothing running', async () => {
    expect(await processesNaming(folder)).toEqual([]);
    expect(await answeringPorts(ports)).toEqual([]);
    expect(existsSync(join(folder, 'stack.json'))).toBe(false);
  });
});

/** A copy of the first bundle in which a block became an allow, and the leaf of it. */
async function alteredCopy(): Promise<{ readonly copy: string; readonly leaf: number }> {
  const copy = join(folder, 'copy');
  await cp(bundleOf(first), copy, { recursive: true });
  const lines = (await readFile(join(copy, 'journal.jsonl'), 'utf8')).split('\n');
  const leaf = lines.findIndex((line) => line.includes('"code":"CLY_VELOCITY_EXCEEDED"'));
  lines[leaf] = String(lines[leaf]).replace('"decision":"block"', '"decision":"allow"');
  await writeFile(join(copy, 'journal.jsonl'), lines.join('\n'));
  return { copy, leaf };
}

function kitOf({ stdout }: Ended): string {
  return / --data (\S+) /.exec(stdout)?.[1] ?? 'no kit was named';
}

async function replay(
  bundle: string,
  ...more: readonly string[]
): Promise<{ readonly code: number | null; readonly said: Record<string, unknown> }> {
  const { code, stdout } = await runClyra(['--data-dir', folder, '--json', 'replay', bundle, ...more], 120_000);
  return { code, said: JSON.parse(stdout) as Record<string, unknown> };
}

type Manifest = {
  readonly range: { readonly start: number; readonly end: number };
  readonly decisions: Readonly<Record<string, number>>;
  readonly reconciliation: Readonly<Record<string, unknown>>;
  readonly gaps: readonly unknown[];
};

const none = { allowed: 0, blocked: 0, held: 0, bypassed: 0 };
const STORY = [
  { ...none, sent: 'real SaaS payloads as activation syncs', allowed: 329, why: '' },
  { ...none, sent: 'refunds within the cap', allowed: 2, why: '' },
  { ...none, sent: 'SQL on the accounts', allowed: 3, why: '' },
  { ...none, sent: 'a refund over the velocity cap', blocked: 1, why: 'CLY_VELOCITY_EXCEEDED' },
  { ...none, sent: 'a repeated idempotency key', blocked: 1, why: 'CLY_IDEMPOTENCY_REPEAT' },
  { ...none, sent: 'another tenant in the header', blocked: 1, why: 'CLY_FENCE_TENANT' },
  { ...none, sent: 'a payload that breaks its schema', blocked: 1, why: 'CLY_SCHEMA_INVALID' },
  { ...none, sent: 'an audience push that needs approval', held: 1, why: 'CLY_APPROVAL_REQUIRED' },
  {
    ...none,
    sent: 'a row written straight into PostgreSQL',
    bypassed: 1,
    why: 'unattributed: no receipt allowed it',
  },
];

const SECOND_STORY = STORY.map((row) => (row.sent === 'SQL on the accounts' ? { ...row, allowed: 4 } : row));

function bundleOf({ stdout }: Ended): string {
  return /^Sealed bundle: (.+)$/m.exec(stdout)?.[1] ?? 'no bundle was named';
}

function firstDecisionOf({ stderr }: Ended): number {
  return Number(/first decision after ([\d.]+) s/.exec(stderr)?.[1] ?? Number.NaN);
}

function seconds({ tookMs }: Ended): string {
  return (tookMs / 1_000).toFixed(1);
}
