// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';
import { issueCommand } from '../intake/issue-command.ts';
import { type KeyOptions, keyOption } from './arguments.ts';

type AddOptions = KeyOptions & { readonly tenant: string; readonly database: string; readonly systemId: string };

export function addSourceCommand(program: Command, host: CommandHost): void {
  const source = program.command('source').description('databases whose log the recorder reads');
  source
    .command('add')
    .argument('<source-id>', 'the name that policies and bundles use')
    .requiredOption('--tenant <tenant>', 'whose source it is')
    .requiredOption(
      '--database <identity>',
      'what it is, in the words of the recorder: host:port/database; only its hash is recorded',
    )
    .requiredOption(
      '--system-id <id>',
      'system identifier of the server: SELECT system_identifier FROM pg_control_system()',
    )
    .addOption(keyOption('an operator'))
    .description('register a source: its evidence counts from here on')
    .action(async (sourceId: string, options: AddOptions) => {
      const members = {
        source_id: sourceId,
        database: digestOf(options.database),
        system_id: options.systemId,
      };
      const { tenant, key } = options;
      host.exit(
        await issueCommand(host.context(), {
          kind: 'source.registered',
          tenant,
          members,
          people: ['operator'],
          keyFiles: key,
        }),
      );
    });
}
