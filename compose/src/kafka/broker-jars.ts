// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClyraError } from '@clyra/core/kernel/error';
import { findProgram } from '../process/find-program.ts';
import { runProgram } from '../process/run-program.ts';
import type { StackProgress } from '../stack-config.ts';

export type BrokerJarsRequest = {
  readonly cacheDir: string;
  readonly path: readonly string[];
  readonly logFile: string;
  readonly onProgress: StackProgress;
};

export type JarsRequest = BrokerJarsRequest & {
  /** Its build copies what it depends on to the folder that the property libs.directory names. */
  readonly pomFile: string;
  /** The folder of the cache, and what the jars are in messages. */
  readonly part: string;
  readonly title: string;
};

const POM_FILE = fileURLToPath(new URL('../../pom.xml', import.meta.url));
const DOWNLOAD_DEADLINE_MS = 10 * 60_000;
const TAIL_CHARS = 1_500;
const KEY_CHARS = 12;

/** The folder with the broker's jars. Rejects as `mavenJars` does. */
export function brokerJars(request: BrokerJarsRequest): Promise<string> {
  return mavenJars({ ...request, pomFile: POM_FILE, part: 'kafka', title: "Kafka's jars (about 45 MB)" });
}

/**
 * A folder of jars, fetched once per user and per content of the pom. Repositories, mirrors and proxies are those of the
 * user's Maven settings. Rejects with CLY_STACK_MAVEN_MISSING or CLY_STACK_JARS_UNAVAILABLE.
 */
export async function mavenJars(request: JarsRequest): Promise<string> {
  const { pomFile, title } = request;
  const key = createHash('sha256').update(readFileSync(pomFile)).digest('hex').slice(0, KEY_CHARS);
  const cache = join(request.cacheDir, request.part, 'libs');
  const folder = join(cache, key);
  if (existsSync(folder)) return folder;
  const maven = findProgram('mvn', request.path);
  if (maven === undefined) {
    throw new ClyraError(
      'CLY_STACK_MAVEN_MISSING',
      `there is no mvn on the PATH: ${title} are fetched with Maven the first time; install it and start again`,
      { retry: 'never' },
    );
  }
  request.onProgress(`fetching ${title} with Maven, once`);
  mkdirSync(cache, { recursive: true });
  const partial = join(cache, `partial-${key}-${process.pid}`);
  const args = ['-B', '-f', pomFile, 'package', `-Dlibs.directory=${partial}`];
  const { exitCode, output } = await runProgram({ program: maven, args, deadlineMs: DOWNLOAD_DEADLINE_MS });
  writeFileSync(request.logFile, output);
  if (exitCode !== 0 || !existsSync(partial)) {
    rmSync(partial, { recursive: true, force: true });
    throw jarsUnavailable(title, request.logFile, output);
  }
  publish(partial, folder);
  return folder;
}

/** Whole or not at all: a fetch that was cut off never looks complete, and of two at once the first one stays. */
function publish(partial: string, folder: string): void {
  try {
    renameSync(partial, folder);
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw cause;
  }
}

function jarsUnavailable(title: string, logFile: string, output: string): ClyraError {
  const errors = output.split('\n').filter((line) => line.includes('ERROR'));
  const said = errors.join('\n').slice(0, TAIL_CHARS);
  return new ClyraError(
    'CLY_STACK_JARS_UNAVAILABLE',
    `Maven could not fetch ${title}: check its settings (mirror, proxy) and the network; see ${logFile}.\n${said}`,
    { retry: 'backoff', context: { logFile } },
  );
}
