// SPDX-License-Identifier: Apache-2.0
// How many lines a second of one core both verifiers judge, beside the SHA-256 of the same bytes; and, with --memory, how
// much they hold of a bundle of 10 GB in head mode and of one of 1 GB in full. Options: --quick, --memory, --json FILE.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { type ForgedBundle, GoTools, NODE_LIMITS, typescriptVerifier } from './src/evidence/forged-bundle.ts';
import { type CommandCost, runMeasured } from './src/evidence/measured-command.ts';
import { benchOptions } from './src/options.ts';
import { figure } from './src/report/figures.ts';
import { type Compared, limitsTable } from './src/report/limits.ts';
import { machineLine, thisMachine } from './src/report/machine.ts';
import { textTable } from './src/report/text-table.ts';

const MB = 1_048_576;
const GOOD = 4;
/** What research measured with: an event of 635 bytes. */
const SHORT_LINE_BYTES = 635;
const MEMORY = { headUnits: 1_600_000, fullUnits: 160_000, limitMb: 64 };

type Measured = {
  readonly name: string;
  readonly bundle: ForgedBundle;
  readonly cost: CommandCost;
  readonly perSecond: number;
};

const isMemory = process.argv.includes('--memory');
const options = benchOptions(process.argv.slice(2).filter((argument) => argument !== '--memory'));
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const tools = new GoTools();
const results: Measured[] = [];

async function measure(
  name: string,
  bundle: ForgedBundle,
  [command, ...args]: readonly [string, ...string[]],
): Promise<Measured> {
  const cost = await runMeasured(command, args);
  const isVerdict = name.includes('mode');
  if (cost.exitCode !== (isVerdict ? GOOD : 0)) throw new Error(`${name}: exit ${cost.exitCode}`);
  const one = { name, bundle, cost, perSecond: bundle.lines / cost.cpuSeconds };
  results.push(one);
  return one;
}

const verify = (bundle: ForgedBundle, mode: string): readonly string[] => [
  ...['--mode', mode, '--trust-root', bundle.trustRoot, bundle.bundle],
];
const go = (bundle: ForgedBundle, mode: string) =>
  measure(`Go, ${mode} mode`, bundle, ['env', 'GOMAXPROCS=1', tools.verifier, 'verify', ...verify(bundle, mode)]);
const typescript = (bundle: ForgedBundle, mode: string) =>
  measure(`TypeScript, ${mode} mode`, bundle, [
    process.execPath,
    ...NODE_LIMITS,
    ...typescriptVerifier(),
    ...verify(bundle, mode),
  ]);

function table(): string {
  const head = ['what', 'lines', 'bytes a line', 'CPU s', 'lines a CPU second', 'MB a CPU second', 'peak MB'];
  return textTable(
    head,
    results.map(({ name, bundle, cost, perSecond }) => [
      name,
      figure(bundle.lines),
      figure(bundle.bytes / bundle.lines),
      cost.cpuSeconds.toFixed(2),
      figure(perSecond),
      figure(bundle.bytes / MB / cost.cpuSeconds),
      cost.peakMb.toFixed(0),
    ]),
  );
}

async function speed(): Promise<void> {
  const bundle = tools.forge('speed', options.quick ? 5_000 : 50_000, 4);
  const alone = tools.forge('alone', options.quick ? 1_000 : 5_000, 1);
  const journal = join(bundle.bundle, 'journal.jsonl');
  const sha256sum = await measure('sha256sum', bundle, ['sha256sum', journal]);
  await measure('openssl dgst -sha256', bundle, ['openssl', 'dgst', '-sha256', journal]);
  const heads = [await go(bundle, 'head'), await typescript(bundle, 'head')] as const;
  const fulls = [await go(bundle, 'full'), await typescript(bundle, 'full')] as const;
  const alones = [await go(alone, 'full'), await typescript(alone, 'full')] as const;
  print(
    `${machineLine(thisMachine())}\nsends of 4 requests with outcome, effect and tick; the last two rows: one each\n`,
  );
  print(table());
  const short = (one: Measured) => one.bundle.bytes / SHORT_LINE_BYTES / one.cost.cpuSeconds;
  const floor = (one: Measured) => one.perSecond / sha256sum.perSecond;
  const row = (name: string, measured: number, limit: number): Compared => ({
    ...{ name, measured, limit, aim: limit, unit: 'lines/s' },
    better: 'higher',
  });
  print(
    `\n${limitsTable([
      row('Go, head', heads[0].perSecond, 250_000),
      row(`Go, head, its bytes as lines of ${SHORT_LINE_BYTES}`, short(heads[0]), 250_000),
      row('TypeScript, head', heads[1].perSecond, 80_000),
      row(`TypeScript, head, its bytes as lines of ${SHORT_LINE_BYTES}`, short(heads[1]), 80_000),
      row('Go, full, sends of 4', fulls[0].perSecond, 14_000),
      row('TypeScript, full, sends of 4', fulls[1].perSecond, 6_300),
      row('Go, full, sends of 1', alones[0].perSecond, 14_000),
      row('TypeScript, full, sends of 1', alones[1].perSecond, 6_300),
    ])}`,
  );
  print(
    `\nof what sha256sum does: Go, head ${floor(heads[0]).toFixed(2)}; TypeScript, head ${floor(heads[1]).toFixed(2)}`,
  );
}

async function memory(): Promise<void> {
  const rows: Compared[] = [];
  for (const [mode, units] of [
    ['full', MEMORY.fullUnits],
    ['head', MEMORY.headUnits],
  ] as const) {
    const bundle = tools.forge(`memory-${mode}`, options.quick ? units / 100 : units, 16);
    for (const one of [await go(bundle, mode), await typescript(bundle, mode)]) {
      const name = `${one.name}, ${figure(bundle.bytes / MB)} MB`;
      rows.push({
        name,
        measured: one.cost.peakMb,
        limit: MEMORY.limitMb,
        aim: MEMORY.limitMb,
        better: 'lower',
        unit: 'MB',
      });
    }
    tools.remove(`memory-${mode}`);
  }
  print(`${table()}\n\n${limitsTable(rows)}`);
}

try {
  await (isMemory ? memory() : speed());
} finally {
  tools.remove();
}
if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, JSON.stringify({ options, results }));
