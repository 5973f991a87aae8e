// SPDX-License-Identifier: Apache-2.0
import { configReference } from '@clyra/runtime/config/config-reference';
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';

/** For maintainers: the generated pages of docs/reference. */
export function addReferenceCommand(program: Command, host: CommandHost): void {
  const reference = program.command('reference', { hidden: true });
  reference.command('config').action(async () => {
    const { configSections } = await import('../reference/config-sections.ts');
    host.context().stdout.write(configReference(configSections()));
  });
  reference.command('cli').action(async () => {
    const { commandReference } = await import('../reference/command-reference.ts');
    host.context().stdout.write(commandReference(program));
  });
}
