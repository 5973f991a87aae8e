// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { residentMegabytes } from '../../../faults/world/resident-memory.ts';
import type { Pgbench } from '../load/pgbench.ts';
import { cpuTimeMs } from '../process/cpu-time.ts';
import { type Quantiles, quantilesOf } from '../statistics.ts';
import { freeze, type LogReading, thaw } from '../world/recorder-world.ts';

export type BlockPlan = { readonly perSecond: number; readonly seconds: number; readonly warmupSeconds: number };

export type Block = Quantiles & {
  readonly transactions: number;
  /** Of one core. */
  readonly cpu: number;
  readonly memoryMb: number;
};

export type Drain = { readonly perSecond: number; readonly memoryMb: number };

const ARRIVE_MS = 60_000;
const DRAIN_MS = 240_000;
const SETTLE_MS = 500;

/** Milliseconds from commit to append, of one of both while the other stands still, and reads on afterwards. */
export async function measureBlock(
  [measured, other]: readonly [LogReading, LogReading],
  load: Pgbench,
  plan: BlockPlan,
): Promise<Block> {
  for (const { tail } of [measured, other]) await tail.skip();
  freeze(other);
  try {
    const warm = await load.run({ ...plan, seconds: plan.warmupSeconds });
    await measured.tail.take(warm, ARRIVE_MS);
    await pause(SETTLE_MS);
    const [cpuBefore, startedMs] = [cpuTimeMs(measured.pid()) ?? Number.NaN, performance.now()];
    const transactions = await load.run(plan);
    const cpu = ((cpuTimeMs(measured.pid()) ?? Number.NaN) - cpuBefore) / (performance.now() - startedMs);
    const recorded = await measured.tail.take(transactions, ARRIVE_MS);
    const latencies = recorded.map(({ appendedAtMs, committedAtMs }) => appendedAtMs - committedAtMs);
    thaw(other);
    await other.tail.take(warm + transactions, ARRIVE_MS);
    return { ...quantilesOf(latencies), transactions, cpu, memoryMb: residentMegabytes(measured.pid()) };
  } finally {
    thaw(other);
  }
}

/** The most that a process ever held. */
function mostMemoryMb(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1_024;
}

/** How fast each catches up with the same backlog, alone: from its first append to its last. Both end stopped. */
export async function measureDrain(
  readings: readonly LogReading[],
  load: Pgbench,
  backlog: number,
): Promise<readonly Drain[]> {
  for (const { tail } of readings) await tail.skip();
  await Promise.all(readings.map(({ stop }) => stop()));
  const transactions = await load.run({ transactions: backlog });
  const drains: Drain[] = [];
  for (const { name, start, stop, said, pid, tail } of readings) {
    await start();
    const appended = (await tail.take(transactions, DRAIN_MS)).map(({ appendedAtMs }) => appendedAtMs);
    if (!existsSync(`/proc/${pid()}/status`)) throw new Error(`${name} ended:\n${said()}`);
    const tookMs = appended.reduce((a, b) => Math.max(a, b), 0) - appended.reduce((a, b) => Math.min(a, b), Infinity);
    drains.push({ perSecond: (transactions * 1_000) / Math.max(1, tookMs), memoryMb: mostMemoryMb(pid()) });
    await stop();
  }
  return drains;
}
