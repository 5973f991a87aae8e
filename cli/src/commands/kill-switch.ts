// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';
import { issueCommand } from '../intake/issue-command.ts';
import { type KeyOptions, keyOption, scopeArgument } from './arguments.ts';

type SwitchOptions = KeyOptions & { readonly scope: string; readonly reason: string };

export function addKillSwitchCommand(program: Command, host: CommandHost): void {
  const parent = program.command('kill-switch').description('stop changes at once, by hand');
  parent
    .command('engage')
    .argument('<tenant>')
    .option('--scope <scope>', 'tenant, route:<id> or actor:<id>', scopeArgument, 'tenant')
    .requiredOption('--reason <text>', 'why; it stands in the evidence')
    .addOption(keyOption('an operator'))
    .description('block every change in the scope: one operator is enough')
    .action(async (tenant: string, options: SwitchOptions) => {
      const { scope, reason, key } = options;
      const title = `engage kill switch ${scope} of ${tenant}`;
      const issue = { kind: 'kill_switch.engaged', tenant, title, members: { scope, reason }, keyFiles: key } as const;
      host.exit(await issueCommand(host.context(), { ...issue, people: ['operator'] }));
    });
  parent
    .command('lift')
    .argument('<tenant>')
    .option('--scope <scope>', 'tenant, route:<id> or actor:<id>', scopeArgument, 'tenant')
    .requiredOption('--reason <text>', 'why; it stands in the evidence')
    .addOption(keyOption('two different operators'))
    .description('let changes through again: takes two operators')
    .action(async (tenant: string, options: SwitchOptions) => {
      const { scope, reason, key } = options;
      const title = `lift kill switch ${scope} of ${tenant}`;
      const issue = { kind: 'kill_switch.lifted', tenant, title, members: { scope, reason }, keyFiles: key } as const;
      host.exit(await issueCommand(host.context(), { ...issue, people: ['operator', 'second-operator'] }));
    });
}
