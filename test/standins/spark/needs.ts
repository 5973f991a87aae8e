// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { sparkConfig } from './config.ts';

const run = promisify(execFile);
const ASK_DEADLINE_MS = 60_000;
const MEBIBYTE = 1_048_576;
/** Spark 4 runs on no older one. */
const JAVA_MIN = 17;
/** The archive, what is unpacked of it, and Delta's jars, for a moment side by side. */
const FETCH_MB_MIN = 1_500;

export type Machine = {
  /** What `java -version` says; undefined where there is none. */
  readonly javaText: string | undefined;
  readonly hasPip: boolean;
  readonly hasMaven: boolean;
  readonly hasTar: boolean;
  readonly freeMb: number;
};

/** All that a machine lacks to run Spark, and to fetch it if it is not there; empty when it lacks nothing. */
export function lacking(machine: Machine, isFetched: boolean): readonly string[] {
  const { javaText, hasPip, hasMaven, hasTar, freeMb } = machine;
  const toFetch = [
    ...(hasPip ? [] : ['python3 with pip, which fetches Spark']),
    ...(hasMaven ? [] : ["mvn, which fetches Delta's jars"]),
    ...(hasTar ? [] : ['tar, which unpacks Spark']),
    ...(freeMb >= FETCH_MB_MIN ? [] : [`${FETCH_MB_MIN} MB of free disk: there are ${freeMb}`]),
  ];
  return [...lackingJava(javaText), ...(isFetched ? [] : toFetch)];
}

function lackingJava(text: string | undefined): readonly string[] {
  const wanted = `a JDK ${JAVA_MIN} or newer on PATH or in JAVA_HOME`;
  if (text === undefined) return [`${wanted}: there is no java`];
  const major = Number(/version "(\d+)/.exec(text)?.[1]);
  return major >= JAVA_MIN ? [] : [`${wanted}: there is ${text.split('\n')[0]}`];
}

/** Throws and names all that is lacking, before anything is fetched or started. */
export async function needMachine(folder: string, isFetched: boolean): Promise<void> {
  const { JAVA_HOME } = sparkConfig.java;
  const java = JAVA_HOME === undefined ? 'java' : `${JAVA_HOME}/bin/java`;
  const [javaText, pip, maven, tar, disk] = await Promise.all([
    saidBy(java, '-version'),
    saidBy('python3', '-m', 'pip', '--version'),
    saidBy('mvn', '--version'),
    saidBy('tar', '--version'),
    statfs(folder),
  ]);
  const machine = {
    ...{ javaText, hasPip: pip !== undefined, hasMaven: maven !== undefined, hasTar: tar !== undefined },
    freeMb: Math.floor((disk.bavail * disk.bsize) / MEBIBYTE),
  };
  const missing = lacking(machine, isFetched);
  if (missing.length > 0) throw new Error(`CLYRA_SPARK=1 needs ${missing.join('; ')}`);
}

async function saidBy(program: string, ...argv: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(program, argv, { timeout: ASK_DEADLINE_MS });
    return `${stdout}${stderr}`;
  } catch {
    return undefined;
  }
}
