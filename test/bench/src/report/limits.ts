// SPDX-License-Identifier: Apache-2.0
import { figure } from './figures.ts';
import { textTable } from './text-table.ts';

/** One promise of the design, its aim, and what was measured. Printed, never judged: a busy machine is no defect. */
export type Compared = {
  readonly name: string;
  readonly measured: number;
  readonly limit: number;
  readonly aim: number;
  readonly better: 'lower' | 'higher';
  readonly unit: string;
};

export function limitsTable(rows: readonly Compared[]): string {
  const head = ['limit of the design', 'measured', 'limit', 'aim', ''];
  return textTable(
    head,
    rows.map((row) => [
      row.name,
      `${figure(row.measured)} ${row.unit}`.trim(),
      `${row.better === 'lower' ? '≤' : '≥'} ${figure(row.limit)}`,
      figure(row.aim),
      verdict(row),
    ]),
  );
}

function verdict({ measured, limit, aim, better }: Compared): string {
  const meets = (bound: number): boolean => (better === 'lower' ? measured <= bound : measured >= bound);
  if (!Number.isFinite(measured)) return 'not measured';
  if (meets(aim)) return 'aim met';
  return meets(limit) ? 'within' : 'missed';
}
