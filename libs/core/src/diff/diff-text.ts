// SPDX-License-Identifier: Apache-2.0
import type { ComparedTable, DiffReport } from './diff-report.ts';
import type { SchemaChange } from './schema-drift.ts';
import type { KeyList } from './table-diff.ts';

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

/** The report for people at a terminal. */
export function diffText(report: DiffReport): string {
  const { before, after, equal, schema, volumes, tables, metrics } = report;
  const lines = [`before  ${before.label}`, `after   ${after.label}`, equal ? 'equal' : 'they differ'];
  for (const [relation, changes] of byRelation(schema)) {
    lines.push('', relation, ...changes.map(changeText));
  }
  for (const table of tables) lines.push('', ...tableText(table));
  if (metrics.length > 0) lines.push('', 'metrics');
  for (const { metric, delta, change, paths } of metrics) {
    lines.push(`  ${SIGNS[change]} ${delta} ${metric}${paths.length === 0 ? '' : `: ${paths.join(', ')}`}`);
  }
  const moved = volumes.filter(({ sample_equal: isEqual }) => isEqual === false);
  if (moved.length > 0) lines.push('', `sample rows differ: ${moved.map(({ relation }) => relation).join(', ')}`);
  return `${lines.join('\n')}\n`;
}

export function byRelation(changes: readonly SchemaChange[]): ReadonlyMap<string, readonly SchemaChange[]> {
  const groups = new Map<string, SchemaChange[]>();
  for (const change of changes) groups.set(change.relation, [...(groups.get(change.relation) ?? []), change]);
  return groups;
}

function changeText({ what, name, change, before, after }: SchemaChange): string {
  const place = what === 'relation' ? '' : ` ${what} ${name}`;
  const values = change === 'changed' ? ` ${before} → ${after}` : ` ${before ?? after ?? ''}`;
  return `  ${SIGNS[change]}${place}${values}`;
}

function tableText(table: ComparedTable): string[] {
  const { rows, added, removed, changed, columns, sums, uncompared, retyped } = table;
  const delta = rows.delta === 0 ? '' : ` (${rows.delta > 0 ? '+' : ''}${rows.delta})`;
  const lines = [
    `${table.relation}: ${table.equal ? 'equal' : 'differs'}, rows ${rows.before} → ${rows.after}${delta}`,
  ];
  for (const [what, list] of [
    ['added', added],
    ['removed', removed],
    ['changed', changed],
  ] as const) {
    if (list.count > 0) lines.push(`  ${SIGNS[what]} ${list.count} ${what}${keysText(list)}`);
  }
  if (columns.length > 0)
    lines.push(`    in ${columns.map(({ name, rows: count }) => `${name} (${count})`).join(', ')}`);
  for (const { name, before, after } of sums ?? []) {
    lines.push(`  ${before === after ? '=' : '≠'} ${name} ${before === after ? before : `${before} → ${after}`}`);
  }
  for (const { name, side } of uncompared) lines.push(`  ! ${name} is only in ${side}: not compared`);
  for (const { name, before, after } of retyped) lines.push(`  ! ${name} is ${before} → ${after}: compared as text`);
  return lines;
}

function keysText({ count, keys }: KeyList): string {
  if (keys.length === 0) return '';
  return `: ${keys.join(', ')}${keys.length < count ? ', …' : ''}`;
}
