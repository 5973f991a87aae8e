// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';
import { integerArgument } from './arguments.ts';

type Options = { readonly portBase?: number; readonly seed?: number };

export function addQuickstartCommand(program: Command, host: CommandHost): void {
  program
    .command('quickstart')
    .description('the whole pipeline on this machine: guarded changes in, a verified evidence bundle out')
    .option('--port-base <port>', 'put all ports at this one and above', integerArgument)
    .option('--seed <number>', 'which byte of the copy is flipped (default: the time)', integerArgument)
    .action(async (options: Options) => {
      const { quickstart } = await import('../quickstart/quickstart.ts');
      host.exit(await quickstart(host.context(), options));
    });
}
