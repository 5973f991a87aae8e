// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import { findProgram } from '../process/find-program.ts';
import { runProgram } from '../process/run-program.ts';

export const JAVA_MAJOR_MIN = 17;
const VERSION_DEADLINE_MS = 15_000;

export type JavaHost = { readonly javaHome: string | undefined; readonly path: readonly string[] };

/** The `java` to use: JAVA_HOME's before the PATH's. Rejects with CLY_STACK_JAVA_MISSING or CLY_STACK_JAVA_OLD. */
export async function findJava(host: JavaHost): Promise<string> {
  const homeFolders = host.javaHome === undefined ? [] : [join(host.javaHome, 'bin')];
  const java = findProgram('java', [...homeFolders, ...host.path]);
  if (java === undefined) throw javaMissing('there is no java in JAVA_HOME or on the PATH');
  const { exitCode, output } = await runProgram({ program: java, args: ['-version'], deadlineMs: VERSION_DEADLINE_MS });
  const major = javaMajor(output);
  // macOS has a stub that only says where to get Java.
  if (exitCode !== 0 || major === undefined) throw javaMissing(`${java} does not run`);
  if (major < JAVA_MAJOR_MIN) {
    throw new ClyraError(
      'CLY_STACK_JAVA_OLD',
      `${java} is Java ${major} and Kafka needs ${JAVA_MAJOR_MIN} or newer: install one, or point JAVA_HOME at it`,
      { retry: 'never', context: { java, major } },
    );
  }
  return java;
}

/** 17 from `openjdk version "17.0.15"`, 8 from `java version "1.8.0_402"`; undefined from anything else. */
export function javaMajor(versionOutput: string): number | undefined {
  const match = /version "(\d+)(?:\.(\d+))?/.exec(versionOutput);
  if (match === null) return undefined;
  const first = Number(match[1]);
  return first === 1 && match[2] !== undefined ? Number(match[2]) : first;
}

function javaMissing(what: string): ClyraError {
  return new ClyraError(
    'CLY_STACK_JAVA_MISSING',
    `${what}: the local Kafka needs Java ${JAVA_MAJOR_MIN} or newer; install it, or point JAVA_HOME at it`,
    { retry: 'never' },
  );
}
