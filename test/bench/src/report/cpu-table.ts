// SPDX-License-Identifier: Apache-2.0
import { type LevelResult, VARIANTS } from '../measure/run-rounds.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { spreadFigure } from './figures.ts';
import { textTable } from './text-table.ts';

const SHOWN_FROM_MS = 0.02;

/** What a request costs each process: of all figures the one that depends least on what else the machine does. */
export function cpuTable({ level, rounds }: LevelResult): string {
  const names = [
    ...new Set(rounds.flatMap((round) => VARIANTS.flatMap((variant) => Object.keys(round[variant].cpuMs)))),
  ];
  const used = (name: string): Spread[] =>
    VARIANTS.map((variant) => spreadOf(rounds.map((round) => round[variant].cpuMs[name] ?? 0)));
  const rows = names.flatMap((name) => {
    const spreads = used(name);
    return spreads.some(({ median }) => median >= SHOWN_FROM_MS) ? [[name, ...spreads.map(spreadFigure)]] : [];
  });
  const all = VARIANTS.map((variant) => spreadFigure(spreadOf(rounds.map((round) => sum(round[variant].cpuMs)))));
  return `${textTable([`CPU ms a request, ${level.name}`, ...VARIANTS], [...rows, ['all', ...all]])}\n`;
}

function sum(cpuMs: Readonly<Record<string, number>>): number {
  return Object.values(cpuMs).reduce((total, ms) => total + ms, 0);
}
