// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';

export function addQuickstartCommand(program: Command, host: CommandHost): void {
  program
    .command('quickstart')
    .description('the whole pipeline on this machine: guarded changes in, a verified evidence bundle out')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_options: unknown, command: Command) => {
      const { quickstart } = await import('../quickstart/quickstart.ts');
      host.exit(await quickstart(host.context(), command.args));
    });
}
