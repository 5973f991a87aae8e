// SPDX-License-Identifier: Apache-2.0
// From a commit in PostgreSQL to the record in Kafka: the recorder, and Debezium in Kafka Connect beside it, on the same
// broker, database and transactions. While one is measured the other stands still, by turns; ratios are within a round.
// Memory is compared with that of a Debezium whose heap is fixed at 512 MB (peers/debezium.ts says why), as the prototype's was.
// Debezium's jars are fetched with Maven the first time. Options: --quick, --rounds N, --json FILE.

import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { Pgbench } from './src/load/pgbench.ts';
import { type Block, type Drain, measureBlock, measureDrain } from './src/measure/recorder-rounds.ts';
import { benchOptions } from './src/options.ts';
import { spreadFigure } from './src/report/figures.ts';
import { type Compared, limitsTable } from './src/report/limits.ts';
import { machineLine, thisMachine } from './src/report/machine.ts';
import { textTable } from './src/report/text-table.ts';
import { spreadOf } from './src/statistics.ts';
import { type RecorderWorld, startRecorderWorld } from './src/world/recorder-world.ts';

const PLANS = {
  full: { rounds: 3, seconds: 20, warmupSeconds: 2, backlog: 40_000, firstWarmup: { perSecond: 500, seconds: 20 } },
  quick: { rounds: 1, seconds: 5, warmupSeconds: 1, backlog: 5_000, firstWarmup: { perSecond: 200, seconds: 3 } },
} as const;
const RATES = [1, 50, 500] as const;
const PROTOTYPE =
  'the prototype held 77, 81 and 85 MB at these rates, and 207 MB with a backlog; its Debezium 540 to 548 MB';
const ARRIVE_MS = 120_000;

/** One round: both at the same rate, or both with the same backlog. */
type Pair<Measured> = { readonly clyra: Measured; readonly debezium: Measured };
type Rounds = { readonly blocks: ReadonlyMap<number, readonly Pair<Block>[]>; readonly drains: readonly Pair<Drain>[] };

const say = (line: string): void => void process.stderr.write(`  ${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function blocksAt(recorders: RecorderWorld, load: Pgbench, perSecond: number): Promise<readonly Pair<Block>[]> {
  const { clyra, debezium } = recorders;
  const pairs: Pair<Block>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    say(`${perSecond} tx/s, round ${round + 1} of ${rounds}`);
    const block = { perSecond, seconds: plan.seconds, warmupSeconds: plan.warmupSeconds };
    const ours = () => measureBlock([clyra, debezium], load, block);
    const theirs = () => measureBlock([debezium, clyra], load, block);
    if (round % 2 === 0) pairs.push({ clyra: await ours(), debezium: await theirs() });
    else {
      const first = await theirs();
      pairs.push({ clyra: await ours(), debezium: first });
    }
  }
  return pairs;
}

async function measure(recorders: RecorderWorld): Promise<Rounds> {
  const { clyra, debezium, world } = recorders;
  const load = await Pgbench.open(world.database, world.parts.folder);
  say('warm-up');
  for (const { tail } of [clyra, debezium]) await tail.skip();
  const warm = await load.run(plan.firstWarmup);
  for (const { tail } of [clyra, debezium]) await tail.take(warm, ARRIVE_MS);
  const blocks = new Map<number, readonly Pair<Block>[]>();
  for (const perSecond of RATES) blocks.set(perSecond, await blocksAt(recorders, load, perSecond));
  say(`a backlog of ${plan.backlog} transactions`);
  const [ours, theirs] = await measureDrain([clyra, debezium], load, plan.backlog);
  if (ours === undefined || theirs === undefined) throw new Error('both were measured');
  return { blocks, drains: [{ clyra: ours, debezium: theirs }] };
}

function rowsOf(perSecond: number, pairs: readonly Pair<Block>[]): string[][] {
  return (['clyra', 'debezium'] as const).map((side) => {
    const of = (figure: keyof Block): string => spreadFigure(spreadOf(pairs.map((pair) => pair[side][figure])));
    return [`${perSecond} tx/s, ${side}`, of('p50'), of('p95'), of('p99'), of('cpu'), of('memoryMb')];
  });
}

/** The median over the rounds of what one needs of what the other needs. */
function ratio<Measured>(pairs: readonly Pair<Measured>[], of: (one: Measured) => number): number {
  return spreadOf(pairs.map(({ clyra, debezium }) => of(clyra) / of(debezium))).median;
}

function limitsOf({ blocks, drains }: Rounds): readonly Compared[] {
  const unit = 'ms';
  const perRate = RATES.flatMap((perSecond): Compared[] => {
    const pairs = blocks.get(perSecond) ?? [];
    const p95 = spreadOf(pairs.map(({ clyra }) => clyra.p95)).median;
    const share = ratio(pairs, ({ p95: ms }) => ms);
    const at = `at ${perSecond} tx/s`;
    return [
      { name: `commit to Kafka, p95 ${at}`, measured: p95, limit: 20, aim: 10, better: 'lower', unit },
      { name: `the same ÷ Debezium's, ${at}`, measured: share, limit: 1, aim: 0.5, better: 'lower', unit: '' },
    ];
  });
  const memory = ratio([...blocks.values()].flat(), ({ memoryMb }) => memoryMb);
  const drain = ratio(drains, ({ perSecond }) => perSecond);
  return [
    ...perRate,
    { name: "memory ÷ Debezium's", measured: memory, limit: 0.5, aim: 0.2, better: 'lower', unit: '' },
    { name: "drain rate ÷ Debezium's", measured: drain, limit: 1, aim: 8, better: 'higher', unit: '' },
  ];
}

const options = benchOptions(process.argv.slice(2));
const plan = options.quick ? PLANS.quick : PLANS.full;
const rounds = process.argv.includes('--rounds') ? options.rounds : plan.rounds;
const machine = thisMachine();
print(
  `${machineLine(machine)}\n${rounds} rounds of ${plan.seconds} s for each rate and side; transactions of 3 rows\n`,
);
const recorders = await startRecorderWorld(say);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void recorders.world.close().finally(() => process.exit(130)));
}
try {
  const measured = await measure(recorders);
  const head = ['commit to Kafka', 'p50 ms', 'p95 ms', 'p99 ms', 'cores', 'MB'];
  print(
    textTable(
      head,
      [...measured.blocks].flatMap(([perSecond, pairs]) => rowsOf(perSecond, pairs)),
    ),
  );
  print(`\n${PROTOTYPE}`);
  for (const { clyra, debezium } of measured.drains) {
    const text = ({ perSecond, memoryMb }: Drain): string => `${perSecond.toFixed(0)} tx/s, ${memoryMb.toFixed(0)} MB`;
    print(`\na backlog of ${plan.backlog} transactions: Clyra ${text(clyra)}; Debezium ${text(debezium)}`);
  }
  const limits = limitsOf(measured);
  print(`\n${limitsTable(limits)}`);
  if (options.jsonFile !== undefined) {
    const blocks = Object.fromEntries(measured.blocks);
    writeFileSync(options.jsonFile, JSON.stringify({ machine, plan, blocks, drains: measured.drains, limits }));
  }
} finally {
  await recorders.world.close();
}
