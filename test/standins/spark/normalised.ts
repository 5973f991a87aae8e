// SPDX-License-Identifier: Apache-2.0
import type { WireAnswer } from './answer-book.ts';

/** Any time will do, as long as it is written as Spark writes one: without zeros at the end. */
const TIME_TEXT = '2026-01-01 00:00:00.5';
const TIME_MS = Date.parse('2026-01-01T00:00:00.500Z');
const NO_UUID = '00000000-0000-4000-8000-000000000000';
/** Members and columns that say how long something took or how large a file was. */
const MEASURED = /(?:Ms|Bytes|Size|^size)/;
const TIMES = /^(?:timestamp|modificationTime|deletionTimestamp|createdTime|now_ms)$/;
const MEASURED_IN_TEXT = /"(\w*(?:Ms|Bytes|[sS]ize)\w*)":"\d+"/g;

/** The same for two runs of one version of Spark: no times, no ids that are drawn, no folder of this machine. */
export function normalisedAnswer({ statement, columns, rows, sqlState }: WireAnswer, folder: string): WireAnswer {
  const cells = rows.map((row) => row.map((cell, index) => normalised(cell, columns[index]?.name ?? '', folder)));
  return { statement, columns, rows: cells as WireAnswer['rows'], sqlState };
}

/** A file of a `_delta_log`, line by line: first what is said once, then the data files in the order of their texts, since Delta has none. */
export function normalisedLog(text: string, folder: string): readonly unknown[] {
  const actions = text
    .trimEnd()
    .split('\n')
    .map((line) => normalised(JSON.parse(line), '', folder) as Readonly<Record<string, unknown>>);
  const isFile = (action: Readonly<Record<string, unknown>>): boolean => 'add' in action || 'remove' in action;
  const files = actions.filter(isFile).map((action) => ({ action, key: JSON.stringify(action) }));
  files.sort((left, right) => (left.key < right.key ? -1 : 1));
  return [...actions.filter((action) => !isFile(action)), ...files.map(({ action }) => action)];
}

function normalised(value: unknown, name: string, folder: string): unknown {
  if (typeof value === 'number') return numberOf(value, name);
  if (typeof value === 'string') return textOf(value, name, folder);
  if (Array.isArray(value)) return value.map((item) => normalised(item, name, folder));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([member, inner]) => [member, normalised(inner, member, folder)]),
  );
}

function numberOf(value: number, name: string): number {
  if (TIMES.test(name)) return TIME_MS;
  return MEASURED.test(name) ? 0 : value;
}

function textOf(text: string, name: string, folder: string): string {
  if (MEASURED.test(name) && /^\d+$/.test(text)) return '0';
  return (
    text
      .replaceAll(folder, '/spark')
      .replaceAll(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?/g, TIME_TEXT)
      .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, NO_UUID)
      // Spark numbers the columns of a plan as it goes.
      .replaceAll(/#\d+/g, '#0')
      .replaceAll(MEASURED_IN_TEXT, '"$1":"0"')
  );
}
