// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { ClyraError } from '@clyra/core/kernel/error';
import { hostEnvironment } from '../stack-config.ts';
import { findProgram } from './find-program.ts';
import { runProgram } from './run-program.ts';

export const LOCAL_ADDRESS = '127.0.0.1';

const LISTEN_STATE = '0A';
const LSOF_DEADLINE_MS = 3_000;

/** Rejects with CLY_STACK_PORT_TAKEN, and says who has the port where that can be seen. */
export async function requireFreePort(title: string, port: number): Promise<void> {
  if (await canListen(port)) return;
  const holder = await portHolder(port);
  const who = holder === undefined ? 'another process' : `${holder.command} (pid ${holder.pid})`;
  throw new ClyraError(
    'CLY_STACK_PORT_TAKEN',
    `port ${port} (${title}) is taken by ${who}: stop it, or start the stack on other ports with --port-base ${suggestedBase(port)}`,
    { retry: 'never', context: { port, part: title, holderPid: holder?.pid ?? null } },
  );
}

function suggestedBase(port: number): number {
  return port < 50_000 ? port + 10_000 : port - 10_000;
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: LOCAL_ADDRESS, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

export type PortHolder = { readonly pid: number; readonly command: string };

/** Only what this user may see: root sees all, others their own processes. */
export async function portHolder(port: number): Promise<PortHolder | undefined> {
  return holderFromProc(port) ?? (await holderFromLsof(port));
}

function holderFromProc(port: number): PortHolder | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const pid = pids.find((candidate) => hasSocket(candidate, inodes));
  if (pid === undefined) return undefined;
  return { pid: Number(pid), command: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() };
}

function listeningInodes(table: string, port: number): string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  let lines: string[];
  try {
    lines = readFileSync(table, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${hexPort}`) && fields[3] === LISTEN_STATE)
    .flatMap((fields) => fields[9] ?? []);
}

function hasSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return target.startsWith('socket:[') && inodes.has(target.slice('socket:['.length, -1));
    });
  } catch {
    return false;
  }
}

async function holderFromLsof(port: number): Promise<PortHolder | undefined> {
  const lsof = findProgram('lsof', hostEnvironment().path);
  if (lsof === undefined) return undefined;
  const args = ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'];
  const { exitCode, output } = await runProgram({ program: lsof, args, deadlineMs: LSOF_DEADLINE_MS });
  const pid = /^p(\d+)$/m.exec(output)?.[1];
  const command = /^c(.+)$/m.exec(output)?.[1];
  return exitCode === 0 && pid !== undefined && command !== undefined ? { pid: Number(pid), command } : undefined;
}
