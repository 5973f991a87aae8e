// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

const TICK_MS = 10;
/** Fields 14 and 15 of /proc/<pid>/stat, counted after the command name. */
const USER_TIME_INDEX = 11;
const SYSTEM_TIME_INDEX = 12;

/** The CPU time a process has used so far, in milliseconds; undefined where the platform does not say (no /proc). */
export function cpuTimeMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[USER_TIME_INDEX]) + Number(fields[SYSTEM_TIME_INDEX])) * TICK_MS;
  } catch {
    return undefined;
  }
}

export type NamedPid = { readonly name: string; readonly pid: number };

/** Starts counting; the returned function says what each process has used since, in milliseconds. */
export function countCpu(processes: readonly NamedPid[]): () => readonly { name: string; cpuMs: number }[] {
  const before = processes.map(({ pid }) => cpuTimeMs(pid));
  return () =>
    processes.flatMap(({ name, pid }, index) => {
      const from = before[index];
      const to = cpuTimeMs(pid);
      return from === undefined || to === undefined ? [] : [{ name, cpuMs: to - from }];
    });
}
