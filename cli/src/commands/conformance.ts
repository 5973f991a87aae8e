// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { differences } from '../conformance/compare.ts';
import { materialize } from '../conformance/materialize.ts';
import { type Answer, runBatch, runOnce } from '../conformance/run-verifier.ts';
import { argumentsOf, readSuite, SUITE_FOLDER, type SuiteCase } from '../conformance/suite.ts';
import type { CommandHost } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { textTable } from '../text-table.ts';

type Options = { readonly cmd: string; readonly suite?: string; readonly batch?: boolean; readonly only?: string };
type Row = {
  readonly name: string;
  readonly expected: number;
  readonly got: string;
  readonly differs: readonly string[];
};

export function addConformanceCommand(program: Command, host: CommandHost): void {
  program
    .command('conformance')
    .description('run the conformance suite against any verifier and print the matrix; exit code 1 where it differs')
    .requiredOption('--cmd <command>', 'the verifier: called with `--json`, the options of `verify`, and a bundle')
    .option('--suite <dir>', 'folder of cases, where it is not schemas/vectors/bundles of this installation')
    .option('--only <text>', 'only cases whose name contains this')
    .option('--batch', 'one process for all cases, if the verifier has a batch mode')
    .action(async (options: Options) => {
      const cases = readSuite(options.suite ?? SUITE_FOLDER).filter(({ name }) => name.includes(options.only ?? ''));
      const rows = await runCases(cases, options);
      const { output } = host.context();
      const agreed = rows.filter(({ differs }) => differs.length === 0).length;
      const table = textTable(['case', 'exit', 'got', 'verdict'], rows.map(cellsOf));
      output.result(
        { cases: rows.length, agreed, rows: rows.map(({ name, differs }) => ({ name, differs: [...differs] })) },
        `${table}\n${agreed} of ${rows.length} cases agree`,
      );
      host.exit(agreed === rows.length ? EXIT.done : EXIT.refused);
    });
}

function cellsOf({ name, expected, got, differs }: Row): readonly string[] {
  return [name, String(expected), got, differs.length === 0 ? 'ok' : differs.join('; ')];
}

async function runCases(cases: readonly SuiteCase[], { cmd, batch }: Options): Promise<readonly Row[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'clyra-conformance-'));
  try {
    if (batch === true) {
      const all = cases.map((one) => argumentsOf(one, materialize(one, scratch)));
      const answers = await runBatch(cmd, all);
      return cases.map((one, index) => rowOf(one, answers[index] ?? { problem: 'gave no answer' }));
    }
    const rows: Row[] = [];
    for (const one of cases) {
      rows.push(rowOf(one, await runOnce(cmd, argumentsOf(one, materialize(one, scratch)))));
      rmSync(join(scratch, one.name), { recursive: true, force: true });
    }
    return rows;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function rowOf({ name, expect }: SuiteCase, answer: Answer): Row {
  const got = 'problem' in answer ? '–' : String(answer.exit_code);
  return { name, expected: expect.exit_code, got, differs: differences(expect, answer) };
}
