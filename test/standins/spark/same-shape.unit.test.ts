// SPDX-License-Identifier: Apache-2.0
import { SeededRandom } from '@clyra/testing/seeded-random';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DeltaTables } from '../databricks/delta-tables.ts';
import type { Cell, Table } from '../databricks/thrift-door.ts';
import { drawCommits, logFile, shown, type TrueCommit } from '../databricks/true-commits.ts';
import type { WireAnswer } from './answer-book.ts';
import { type Recording, readRecording } from './recording.ts';

const STAND_IN = 'main.crm.contacts';
const DRAWN = 200;
/** A member's name where it stands in a map as Spark writes one, which is no JSON once a value holds quotation marks. */
const MEMBER = /"(\w+)":"/g;

let recording: Recording;
let tables: DeltaTables;
let commits: readonly TrueCommit[];

beforeAll(async () => {
  recording = await readRecording();
  tables = new DeltaTables();
  tables.create(STAND_IN, '00000000-0000-4000-8000-000000000001');
  commits = drawCommits(new SeededRandom(5), { first: 0, count: DRAWN, fromMs: 1_767_225_600_000 });
  tables.nowMs = 1_800_000_000_000;
  tables.show(
    STAND_IN,
    commits.map((commit) => shown(commit, 0)),
  );
});

function recorded(begin: string): WireAnswer {
  const answer = recording.answers.find(({ statement }) => statement.startsWith(begin));
  if (answer === undefined) throw new Error(`nothing is recorded of ${begin}`);
  return answer;
}

function standIn(sql: string): Table {
  const answer = tables.answer(sql);
  if ('sqlState' in answer) throw new Error(answer.message);
  return answer;
}

/** What a value looks like, whatever it says. */
function formOf(cell: Cell): string {
  if (typeof cell !== 'string') return cell === null ? 'null' : typeof cell;
  if (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d*[1-9])?$/.test(cell)) return 'time';
  if (/^[{[]/.test(cell)) return `${cell.slice(0, 1)} ${isJson(cell) ? 'as JSON' : 'as no JSON'}`;
  return 'text';
}

function isJson(text: string): boolean {
  try {
    return JSON.parse(text) !== undefined;
  } catch {
    return false;
  }
}

/** By operation, the forms of the cells that the recorder reads, and the members of its maps. */
function shapesOf({ columns, rows }: Pick<Table, 'columns' | 'rows'>): ReadonlyMap<string, object> {
  const at = (name: string): number => columns.findIndex((column) => column.name === name);
  const membersOf = (cell: Cell | undefined): string[] =>
    [
      ...String(cell)
        .replaceAll(/"\[.*?\]"(?=[,}])|"\{.*\}"(?=\}$)/g, '"x"')
        .matchAll(MEMBER),
    ]
      .map(([, name = '']) => name)
      .sort();
  return new Map(
    rows.map((row) => [
      `${row[at('operation')]} ${String(row[at('operationParameters')]).includes('"Append"') ? 'Append' : ''}`.trim(),
      {
        forms: [
          'version',
          'timestamp',
          'operationParameters',
          'operationMetrics',
          'isBlindAppend',
          'isolationLevel',
        ].map((name) => formOf(row[at(name)] ?? null)),
        parameters: membersOf(row[at('operationParameters')]),
        metrics: membersOf(row[at('operationMetrics')]),
      },
    ]),
  );
}

describe('the Databricks stand-in answers as Spark and Delta did', () => {
  it.each(['DESCRIBE HISTORY', 'DESCRIBE DETAIL', 'SELECT unix_millis'])(
    '%s: the same columns of the same types',
    (begin) => {
      const { columns } = recorded(begin);
      const sql = begin.startsWith('SELECT')
        ? recorded(begin).statement
        : `${begin} \`main\`.\`crm\`.\`contacts\`${begin.endsWith('HISTORY') ? ' LIMIT 500' : ''}`;
      expect(standIn(sql).columns).toEqual(columns);
      const forms = (row: readonly Cell[] | undefined) =>
        columns.map(({ type }, index) => [type, formOf(row?.[index] ?? null)]);
      if (begin !== 'DESCRIBE HISTORY') {
        expect(forms(standIn(sql).rows[0])).toEqual(forms(recorded(begin).rows[0]));
      }
    },
  );

  it('each operation: the same members of its maps, in the same form', () => {
    const truth = shapesOf(recorded('DESCRIBE HISTORY'));
    const drawn = shapesOf(standIn('DESCRIBE HISTORY `main`.`crm`.`contacts` LIMIT 500'));
    expect([...drawn.keys()].sort()).toEqual([
      'DELETE',
      'MERGE',
      'OPTIMIZE',
      'SET TBLPROPERTIES',
      'UPDATE',
      'WRITE Append',
    ]);
    for (const [operation, shape] of drawn) expect([operation, shape]).toEqual([operation, truth.get(operation)]);
  });

  it('each file of a log: the same actions, and the same members of its commit', () => {
    type Action = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    const truth = recording.log.map((lines) => lines as readonly Action[]);
    const infoOf = (lines: readonly Action[]) =>
      lines.find((line) => line['commitInfo'] !== undefined)?.['commitInfo'] ?? {};
    for (const operation of ['MERGE', 'OPTIMIZE', 'DELETE', 'UPDATE'] as const) {
      const commit = commits.find((one) => one.operation === operation);
      if (commit === undefined) throw new Error(`${operation} was not drawn`);
      const lines = logFile(commit)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Action);
      const real = truth.find((one) => infoOf(one)['operation'] === operation);
      if (real === undefined) throw new Error(`${operation} is not recorded`);
      for (const member of ['operationParameters', 'operationMetrics']) {
        const keys = (info: Readonly<Record<string, unknown>>): string[] => Object.keys(info[member] as object).sort();
        expect([operation, member, keys(infoOf(lines))]).toEqual([operation, member, keys(infoOf(real))]);
      }
      const change = (one: readonly Action[]) =>
        one.flatMap(({ add }) => (add === undefined ? [] : [add['dataChange']]));
      expect(new Set(change(lines))).toEqual(new Set(change(real)));
    }
  });
});
