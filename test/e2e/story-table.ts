// SPDX-License-Identifier: Apache-2.0
/** One row of the table that the quickstart prints. */
export type StoryRow = {
  readonly sent: string;
  readonly allowed: number;
  readonly blocked: number;
  readonly held: number;
  readonly bypassed: number;
  readonly why: string;
};

const RULE = /^─+(?: {2}─+)+$/;

/** Reads the printed table back by the columns of the rule under its head. Throws where there is none. */
export function readStoryTable(text: string): readonly StoryRow[] {
  const lines = text.split('\n');
  const ruleIndex = lines.findIndex((line) => RULE.test(line));
  if (ruleIndex < 0) throw new Error(`no table in:\n${text}`);
  const columns = [...(lines[ruleIndex] ?? '').matchAll(/─+/g)].map(({ index, 0: { length } }) => [index, length]);
  const rows = lines.slice(ruleIndex + 1);
  const end = rows.indexOf('');
  return rows.slice(0, end < 0 ? undefined : end).map((line) => {
    const cell = (column: number): string => {
      const [from = 0, length = 0] = columns[column] ?? [];
      // The last column is as long as its text.
      return line.slice(from, column === columns.length - 1 ? undefined : from + length).trim();
    };
    const number = (column: number): number => Number(cell(column) || 0);
    return {
      sent: cell(0),
      allowed: number(1),
      blocked: number(2),
      held: number(3),
      bypassed: number(4),
      why: cell(5),
    };
  });
}
