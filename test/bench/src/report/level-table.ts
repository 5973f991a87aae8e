// SPDX-License-Identifier: Apache-2.0
import { type Block, type LevelResult, VARIANTS } from '../measure/run-rounds.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { figure, spreadFigure } from './figures.ts';
import { textTable } from './text-table.ts';

const QUANTILES = ['p50', 'p95', 'p99'] as const;
type QuantileName = (typeof QUANTILES)[number];
type Round = LevelResult['rounds'][number];

const ADDING = ['floor', 'signed floor', 'gateway'] as const;
type Adding = (typeof ADDING)[number];

/** What the gateway or a floor adds to the bare proxy, round by round. */
export function addedBy(result: LevelResult, variant: Adding, name: QuantileName): Spread {
  return spreadOf(result.rounds.map((round) => added(round, variant, name)));
}

/** What the gateway or the signed floor adds, as a multiple of what the floor adds. */
export function ratioToFloor(result: LevelResult, variant: Adding, name: QuantileName): Spread {
  return spreadOf(result.rounds.map((round) => added(round, variant, name) / added(round, 'floor', name)));
}

function added(round: Round, variant: Adding, name: QuantileName): number {
  return round[variant][name] - round['bare proxy'][name];
}

export function levelTable(result: LevelResult): string {
  const { level, rounds } = result;
  const measured = VARIANTS.map((variant) => [
    variant,
    ...QUANTILES.map((name) => spreadFigure(spreadOf(rounds.map((round) => round[variant][name])))),
    spreadFigure(spreadOf(rounds.map((round) => round[variant].perSecond))),
    failuresOf(rounds.map((round) => round[variant])),
  ]);
  const differences = ADDING.map((variant) => [
    `  ${variant} − bare proxy`,
    ...QUANTILES.map((name) => spreadFigure(addedBy(result, variant, name))),
  ]);
  const ratios = (['signed floor', 'gateway'] as const).map((variant) => [
    `  ${variant} ÷ floor, of these`,
    ...QUANTILES.map((name) => spreadFigure(ratioToFloor(result, variant, name))),
  ]);
  const head = [`${level.name}, ${level.bodyBytes / 1_024} KB`, 'p50 ms', 'p95 ms', 'p99 ms', 'answered/s', 'failed'];
  const notes =
    level.load.kind === 'rate' ? `\ngenerator late by ${figure(lateness(rounds))} ms at p95, in every row\n` : '\n';
  return `${textTable(head, [...measured, ...differences, ...ratios])}${notes}`;
}

function failuresOf(blocks: readonly Block[]): string {
  const counts = new Map<string, number>();
  for (const { failures } of blocks) {
    for (const [status, count] of Object.entries(failures)) counts.set(status, (counts.get(status) ?? 0) + count);
  }
  return counts.size === 0 ? '0' : [...counts].map(([status, count]) => `${count} × ${status}`).join(', ');
}

function lateness(rounds: readonly Round[]): number {
  return spreadOf(rounds.flatMap((round) => VARIANTS.map((variant) => round[variant].latenessMs))).median;
}
