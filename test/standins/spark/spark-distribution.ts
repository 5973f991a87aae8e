// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { needMachine } from './needs.ts';

const run = promisify(execFile);
const HERE = import.meta.dirname;
const CACHE = join(HERE, '..', '..', '..', 'node_modules', '.cache');
const DOWNLOAD_DEADLINE_MS = 600_000;
const UNPACK_DEADLINE_MS = 120_000;
const PINS = ['requirements.txt', 'pom.xml', 'delta-jars.sha256'] as const;

export type SparkDistribution = {
  /** SPARK_HOME. */
  readonly home: string;
  /** What `--jars` takes: Delta and nothing that Spark has. */
  readonly deltaJars: readonly string[];
};

/** Spark and Delta as they are pinned beside this file: fetched once on a machine, and seen whole or not at all. */
export async function sparkDistribution(): Promise<SparkDistribution> {
  const folder = join(CACHE, `clyra-spark-${await pinned()}`);
  const isFetched = existsSync(folder);
  await mkdir(CACHE, { recursive: true });
  await needMachine(CACHE, isFetched);
  if (!isFetched) {
    process.stderr.write(
      'Spark (450 MB by pip) and Delta (13 MB by Maven) are fetched once into node_modules/.cache\n',
    );
    const making = await mkdtemp(join(CACHE, 'clyra-spark-making-'));
    try {
      await Promise.all([fetchSpark(making), fetchDelta(join(making, 'delta'))]);
      await rename(making, folder);
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }
  const jars = [...(await deltaDigests()).keys()];
  return { home: join(folder, 'spark'), deltaJars: jars.map((jar) => join(folder, 'delta', jar)) };
}

/** pip holds the archive against its digest. Only the distribution in it is wanted, so no package is made of it. */
async function fetchSpark(folder: string): Promise<void> {
  const options = ['--quiet', '--no-deps', '--no-binary', ':all:', '--require-hashes', '--disable-pip-version-check'];
  const from = ['-r', join(HERE, 'requirements.txt'), '--dest', join(folder, 'archive')];
  await run('python3', ['-m', 'pip', 'download', ...options, ...from], { timeout: DOWNLOAD_DEADLINE_MS });
  const [archive] = await readdir(join(folder, 'archive'));
  if (archive === undefined) throw new Error('pip downloaded no archive');
  const name = archive.replace(/\.tar\.gz$/, '');
  const wanted = ['bin', 'jars'].map((part) => `${name}/deps/${part}`);
  await mkdir(join(folder, 'spark'));
  await run(
    'tar',
    ['-xzf', join(folder, 'archive', archive), '-C', join(folder, 'spark'), '--strip-components=2', ...wanted],
    {
      timeout: UNPACK_DEADLINE_MS,
    },
  );
  await rm(join(folder, 'archive'), { recursive: true });
}

async function fetchDelta(folder: string): Promise<void> {
  const argv = ['--quiet', '--batch-mode', '--file', join(HERE, 'pom.xml'), 'dependency:copy-dependencies'];
  await run('mvn', [...argv, `-DoutputDirectory=${folder}`], { timeout: DOWNLOAD_DEADLINE_MS });
  for (const [jar, digest] of await deltaDigests()) {
    const found = createHash('sha256')
      .update(await readFile(join(folder, jar)))
      .digest('hex');
    if (found !== digest) throw new Error(`${jar} is ${found}, not ${digest} as delta-jars.sha256 says`);
  }
}

async function deltaDigests(): Promise<ReadonlyMap<string, string>> {
  const lines = (await readFile(join(HERE, 'delta-jars.sha256'), 'utf8')).trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const [digest = '', jar = ''] = line.split(/\s+/);
      return [jar, digest];
    }),
  );
}

async function pinned(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of PINS) hash.update(await readFile(join(HERE, name)));
  return hash.digest('hex').slice(0, 12);
}
