// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** Resident memory of a process in megabytes, as Linux counts it. */
export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  if (!Number.isFinite(kilobytes)) throw new Error(`process ${pid} does not say how much memory it holds`);
  return kilobytes / 1_024;
}

/** The largest resident memory seen until `stop`, looked at often. */
export function watchMemory(pid: number, everyMs = 20): { readonly stop: () => number } {
  let most = residentMegabytes(pid);
  const timer = setInterval(() => {
    most = Math.max(most, residentMegabytes(pid));
  }, everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.max(most, residentMegabytes(pid));
    },
  };
}
