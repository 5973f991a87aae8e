// SPDX-License-Identifier: Apache-2.0
// How many lines a second of one core both verifiers judge, beside the SHA-256 of the same bytes; and, with --memory, how
// much they hold of a bundle of 10 GB in head mode and of one of 1 GB in full. The TypeScript verifier runs compiled: as Node
// is by itself, and within the limits of memory of its own command: speed and memory are those of one run. Options: --quick, --memory, --json FILE.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { type ForgedBundle, nodeLimits, VerifierTools } from './src/evidence/forged-bundle.ts';
import { type CommandCost, runMeasured } from './src/evidence/measured-command.ts';
import { signaturesPerSecond } from './src/evidence/signature-floor.ts';
import { measureFsck } from './src/evidence/tessera-fsck.ts';
import { benchOptions } from './src/options.ts';
import { figure } from './src/report/figures.ts';
import { type Compared, limitsTable } from './src/report/limits.ts';
import { machineLine, thisMachine } from './src/report/machine.ts';
import { textTable } from './src/report/text-table.ts';

const MB = 1_048_576;
const GOOD = 4;
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
const tools = new VerifierTools();
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
  measure(`TypeScript, ${mode} mode`, bundle, [process.execPath, tools.typescript, 'verify', ...verify(bundle, mode)]);
const within = (bundle: ForgedBundle, mode: string) =>
  measure(`TypeScript within ${MEMORY.limitMb} MB, ${mode} mode`, bundle, [
    ...(['env', 'MALLOC_ARENA_MAX=1', process.execPath, ...nodeLimits(), tools.typescript, 'verify'] as const),
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

/** What a run held at its highest. */
function memoryRow({ name, bundle, cost }: Measured): Compared {
  const limit = MEMORY.limitMb;
  const full = `${name}, ${figure(bundle.bytes / MB)} MB`;
  return { name: full, measured: cost.peakMb, limit, aim: limit, better: 'lower', unit: 'MB' };
}

async function floor(bundle: ForgedBundle): Promise<Measured> {
  const journal = join(bundle.bundle, 'journal.jsonl');
  await measure('openssl dgst -sha256', bundle, ['openssl', 'dgst', '-sha256', journal]);
  return measure('sha256sum', bundle, ['sha256sum', journal]);
}

async function speed(): Promise<void> {
  const share = options.quick ? 10 : 1;
  const short = tools.forge('short', 300_000 / share, { send: 1, watched: true });
  const whole = tools.forge('whole', 50_000 / share, { send: 4 });
  const alone = tools.forge('alone', 10_000 / share, { send: 1 });
  const floors = [await floor(short), await floor(whole)] as const;
  const shorts = [await go(short, 'head'), await typescript(short, 'head')] as const;
  const limited = [await within(short, 'head'), await within(whole, 'full')] as const;
  const fsck = await measureFsck(tools.folder, short);
  if (fsck !== null) {
    const perSecond = short.lines / fsck.cpuSeconds;
    results.push({ name: 'Tessera fsck, tree only', bundle: short, cost: fsck, perSecond });
  }
  const wholes = [await go(whole, 'head'), await typescript(whole, 'head')] as const;
  const fulls = [await go(whole, 'full'), await typescript(whole, 'full')] as const;
  const alones = [await go(alone, 'full'), await typescript(alone, 'full')] as const;
  const signatures = signaturesPerSecond();
  print(
    `${machineLine(thisMachine())}\nshort lines: what a database did, one transaction a line; the others: requests with outcome, effect and tick, signed 4 at once, and in the last two rows each by itself\n`,
  );
  print(table());
  const row = (name: string, measured: number, limit: number): Compared => ({
    ...{ name, measured, limit, aim: limit, unit: 'lines/s' },
    better: 'higher',
  });
  const bytesOf = ({ bundle }: Measured) => `lines of ${figure(bundle.bytes / bundle.lines)} B`;
  print(
    `\n${limitsTable([
      row(`Go, head, ${bytesOf(shorts[0])}`, shorts[0].perSecond, 250_000),
      row(`TypeScript, head, ${bytesOf(shorts[1])}`, shorts[1].perSecond, 80_000),
      row(`${limited[0].name}, ${bytesOf(limited[0])}`, limited[0].perSecond, 80_000),
      memoryRow(limited[0]),
      row(`${limited[1].name}, sends of 4`, limited[1].perSecond, 6_300),
      memoryRow(limited[1]),
      row(`Go, head, ${bytesOf(wholes[0])}`, wholes[0].perSecond, 250_000),
      row(`TypeScript, head, ${bytesOf(wholes[1])}`, wholes[1].perSecond, 80_000),
      row('Go, full, sends of 4', fulls[0].perSecond, 14_000),
      row('TypeScript, full, sends of 4', fulls[1].perSecond, 6_300),
      row('Go, full, sends of 1', alones[0].perSecond, 14_000),
      row('TypeScript, full, sends of 1', alones[1].perSecond, 6_300),
    ])}`,
  );
  const ofFloor = (one: Measured, sha256sum: Measured) => (one.perSecond / sha256sum.perSecond).toFixed(2);
  print(
    `\nof what sha256sum does with the same bytes, head mode: short lines Go ${ofFloor(shorts[0], floors[0])}, TypeScript ${ofFloor(shorts[1], floors[0])}; others Go ${ofFloor(wholes[0], floors[1])}, TypeScript ${ofFloor(wholes[1], floors[1])}`,
  );
  print(
    `of what node:crypto does with signatures alone (${figure(signatures)} a CPU second), full mode, sends of 1: Go ${(alones[0].perSecond / signatures).toFixed(2)}, TypeScript ${(alones[1].perSecond / signatures).toFixed(2)}`,
  );
}

async function memory(): Promise<void> {
  const rows: Compared[] = [];
  for (const [mode, units] of [
    ['full', MEMORY.fullUnits],
    ['head', MEMORY.headUnits],
  ] as const) {
    const bundle = tools.forge(`memory-${mode}`, options.quick ? units / 100 : units, { send: 16 });
    for (const one of [await go(bundle, mode), await within(bundle, mode)]) {
      rows.push(memoryRow(one));
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
