// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { COMMAND_MODULES } from './command-modules.ts';
import type { CommandHost, Context } from './context.ts';
import { cliProgram } from './program.ts';

const HOST: CommandHost = { context: () => ({}) as Context, exit: () => {} };
const MACHINE = {
  stdout: { write: () => true },
  stderr: { write: () => true },
  clock: { nowMs: () => 0, after: () => () => {} },
  random: { bytes: (count: number) => new Uint8Array(count) },
};
const ALL = COMMAND_MODULES.flatMap(({ names }) => names);

const namesFor = async (...args: string[]): Promise<readonly string[]> =>
  (await cliProgram(MACHINE, () => {}, args)).commands.map((command) => command.name());

describe('the commands of clyra', () => {
  it.each(COMMAND_MODULES.map((module) => [module.names.join(', '), module] as const))(
    'are found by the names that their module adds: %s',
    async (_names, { names, load }) => {
      const program = new Command();
      for (const add of await load()) add(program, HOST);
      expect(program.commands.map((command) => command.name())).toEqual(names);
    },
  );

  it.each([
    [['diff', 'tables', '--table', 'up'], ['diff']],
    [['--json', '--data-dir', 'status', 'snapshot', '--out', 'x'], ['snapshot']],
    [
      ['--data-dir=up', '--intake=http://127.0.0.1:1', 'emergency', 'list'],
      ['approval', 'emergency'],
    ],
  ])('alone are loaded when they are called: %j', async (args, loaded) => {
    expect(await namesFor(...args)).toEqual(loaded);
  });

  it.each([[[]], [['--help']], [['help', 'diff']], [['-h', 'diff']], [['dif']], [['reference', 'cli']]])(
    'are all there where all may be meant: %j',
    async (args) => {
      expect(await namesFor(...args)).toEqual(ALL);
    },
  );
});
