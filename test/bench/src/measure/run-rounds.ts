// SPDX-License-Identifier: Apache-2.0
import { HttpTarget } from '../load/http-target.ts';
import type { LoadResult } from '../load/load-result.ts';
import { type Caller, RequestMaker } from '../load/request-maker.ts';
import { runLoad } from '../load/run-load.ts';
import { countCpu, type NamedPid } from '../process/cpu-time.ts';
import { type Quantiles, quantilesOf } from '../statistics.ts';
import type { Level } from './levels.ts';

export const VARIANTS = ['bare proxy', 'floor', 'signed floor', 'gateway'] as const;
export type Variant = (typeof VARIANTS)[number];

/** One block of one variant. Milliseconds, and requests answered 200 per second. */
export type Block = Quantiles & {
  readonly perSecond: number;
  readonly requestCount: number;
  readonly failures: Readonly<Record<number, number>>;
  /** How late the generator itself was at p95; only where there is a schedule. */
  readonly latenessMs: number;
  /** CPU milliseconds for each request, by process: a busy machine changes them far less than the times. */
  readonly cpuMs: Readonly<Record<string, number>>;
};

export type LevelResult = { readonly level: Level; readonly rounds: readonly Readonly<Record<Variant, Block>>[] };

export type RoundsPlan = {
  readonly urls: Readonly<Record<Variant, string>>;
  readonly callers: readonly Caller[];
  /** Whose CPU time is counted. */
  readonly processes: () => readonly NamedPid[];
  readonly rounds: number;
  readonly blockMs: number;
  readonly warmupMs: number;
  readonly onBlock: (level: Level, round: number) => void;
};

/** As long as the services run under load, their code gets faster for about a minute; users have the fast one. */
export async function warmUp(
  plan: Pick<RoundsPlan, 'urls' | 'callers'>,
  level: Level,
  durationMs: number,
): Promise<void> {
  const maker = new RequestMaker(plan.callers, level.bodyBytes);
  for (const variant of VARIANTS) {
    const target = new HttpTarget(plan.urls[variant], level.connections);
    await runLoad({ target, maker, load: level.load, durationMs });
    await target.close();
  }
}

/** What is still under way of one variant (outcomes, say) belongs to it, and must not run into the block of the next. */
const PAUSE_MS = 300;

/** The variants take turns, block by block, so that a slow minute of the machine meets all of them. */
export async function runRounds(level: Level, plan: RoundsPlan): Promise<LevelResult> {
  const maker = new RequestMaker(plan.callers, level.bodyBytes);
  const targets = VARIANTS.map((variant) => ({
    variant,
    target: new HttpTarget(plan.urls[variant], level.connections),
  }));
  const run = (target: HttpTarget, durationMs: number): Promise<LoadResult> =>
    runLoad({ target, maker, load: level.load, durationMs });
  for (const { target } of targets) await run(target, plan.warmupMs / VARIANTS.length);
  const rounds: Record<Variant, Block>[] = [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    plan.onBlock(level, round);
    const blocks: Partial<Record<Variant, Block>> = {};
    for (const { variant, target } of targets) {
      const stopCounting = countCpu(plan.processes());
      const result = await run(target, plan.blockMs);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      blocks[variant] = blockOf(result, stopCounting());
    }
    rounds.push(blocks as Record<Variant, Block>);
  }
  await Promise.all(targets.map(({ target }) => target.close()));
  return { level, rounds };
}

function blockOf(result: LoadResult, cpu: ReturnType<ReturnType<typeof countCpu>>): Block {
  const { latenciesMs, latenessMs, durationMs, failures } = result;
  return {
    cpuMs: Object.fromEntries(cpu.map(({ name, cpuMs }) => [name, cpuMs / latenciesMs.length])),
    ...quantilesOf(latenciesMs),
    perSecond: (latenciesMs.length * 1_000) / durationMs,
    requestCount: latenciesMs.length,
    failures: Object.fromEntries(failures),
    latenessMs: latenessMs.length === 0 ? 0 : quantilesOf(latenessMs).p95,
  };
}
