// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What one run of a command took: of the processor, and of memory at its highest. */
export type CommandCost = { readonly cpuSeconds: number; readonly peakMb: number; readonly exitCode: number | null };

const POLL_MS = 20;
const TICKS_PER_SECOND = 100;
const KB_PER_MB = 1_024;

/** Runs a command to its end. The kernel's own figures of the process are read while it runs (Linux). */
export function runMeasured(
  command: string,
  args: readonly string[],
  errors: 'inherit' | 'ignore' = 'inherit',
): Promise<CommandCost> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', errors] });
    let last = { cpuSeconds: 0, peakMb: 0 };
    const poll = setInterval(() => {
      last = readCost(child.pid ?? 0, last);
    }, POLL_MS);
    const before = childrenSeconds();
    child.on('error', reject);
    child.on('exit', (exitCode) => {
      clearInterval(poll);
      const reaped = childrenSeconds() - before;
      resolve({ cpuSeconds: reaped > 0 ? reaped : last.cpuSeconds, peakMb: last.peakMb, exitCode });
    });
  });
}

function readCost(pid: number, last: { cpuSeconds: number; peakMb: number }): { cpuSeconds: number; peakMb: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    const peak = /VmHWM:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return { cpuSeconds, peakMb: Math.max(last.peakMb, Number(peak?.[1] ?? 0) / KB_PER_MB) };
  } catch {
    // It has ended between two looks.
    return last;
  }
}

/** Processor time of all children that have ended, from the kernel's record of this process. */
function childrenSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}
