// SPDX-License-Identifier: Apache-2.0
import { configReference } from '@clyra/runtime/config/config-reference';
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';
import { configSections } from '../reference/config-sections.ts';

/** For maintainers: the generated pages of docs/reference. */
export function addReferenceCommand(program: Command, host: CommandHost): void {
  const reference = program.command('reference', { hidden: true });
  reference.command('config').action(() => {
    host.context().stdout.write(configReference(configSections()));
  });
}
