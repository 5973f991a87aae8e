// SPDX-License-Identifier: Apache-2.0
import type { Figure } from './figures.ts';
import { harmlessSum } from './judge-figures.ts';

const HEAD = ['corpus', 'side', 'texts', 'strict', '', 'any', ''];

/** Two tables for people: what harmless texts set off, and what of the attacks is found. */
export function figuresTable(figures: readonly Figure[]): string {
  const { texts, strict, share } = harmlessSum(figures);
  const ofKind = (kind: Figure['kind']): readonly (readonly string[])[] =>
    figures.filter((figure) => figure.kind === kind).map(rowOf);
  const harmless = [...ofKind('harmless'), ['all', '', String(texts), String(strict), percent(share, 3), '', '']];
  return `Harmless texts: false positives\n${table(harmless)}\nAttacks: detection\n${table(ofKind('attacks'))}`;
}

function rowOf({ name, side, texts, strict, any }: Figure): readonly string[] {
  return [name, side, String(texts), String(strict), percent(strict / texts, 1), String(any), percent(any / texts, 1)];
}

const percent = (share: number, digits: number): string => `${(share * 100).toFixed(digits)} %`;

function table(rows: readonly (readonly string[])[]): string {
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return all.map((row) => `  ${line(row).trimEnd()}\n`).join('');
}
