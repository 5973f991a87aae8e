// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandHost } from '../context.ts';
import { issueCommand } from '../intake/issue-command.ts';
import { type KeyOptions, keyOption } from './arguments.ts';

type ResolveOptions = KeyOptions & { readonly tenant: string; readonly as: 'done' | 'not_done' };

export function addChangeCommand(program: Command, host: CommandHost): void {
  program
    .command('change')
    .description('changes whose end nobody knows')
    .command('resolve')
    .argument('<event-id>', 'the change that is unknown', eventIdArgument)
    .requiredOption('--tenant <tenant>', 'whose change it is')
    .addOption(
      new Option('--as <resolution>', 'done: its key stays used; not_done: key and rate limit come back')
        .choices(['done', 'not_done'])
        .makeOptionMandatory(),
    )
    .addOption(keyOption('an operator'))
    .description('say what became of an unknown change, signed by an operator: ask the system behind first')
    .action(async (eventId: string, { tenant, as: resolution, key }: ResolveOptions) => {
      const code = await issueCommand(host.context(), {
        kind: 'change.resolved',
        tenant,
        title: `resolve change ${eventId} of ${tenant} as ${resolution}`,
        members: { of: eventId, resolution },
        people: ['operator'],
        keyFiles: key,
      });
      host.exit(code);
    });
}

function eventIdArgument(value: string): string {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) return value;
  throw new InvalidArgumentError('an event id is a UUID in lower case');
}
