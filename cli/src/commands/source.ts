// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { issueCommand } from '../intake/issue-command.ts';
import { databaseOf } from '../local/database-of.ts';
import { identityText, putSource, readSystemId } from '../local/sources-file.ts';
import { type KeyOptions, keyOption } from './arguments.ts';

type AddOptions = KeyOptions & {
  readonly tenant: string;
  readonly url?: string;
  readonly guard: readonly string[];
  readonly slot?: string;
  readonly publication?: string;
  readonly allowBestEffort?: boolean;
};

export function addSourceCommand(program: Command, host: CommandHost): void {
  const source = program.command('source').description('databases whose log the recorder reads');
  source
    .command('add')
    .argument('<source-id>', 'the name that policies and bundles use')
    .requiredOption('--tenant <tenant>', 'whose source it is')
    .option(
      '--url <url>',
      'postgres://user:password@host:port/database, of a role that may replicate (default: that of `up`)',
    )
    .requiredOption('--guard <tables...>', 'schema.table of each table that only the gateway may change')
    .option('--slot <name>', 'replication slot (default: from tenant and source id)')
    .option('--publication <name>', 'publication (default: the name of the slot)')
    .option('--allow-best-effort', 'also record PostgreSQL 13 and 14, which cannot be observed in full')
    .addOption(keyOption('an operator'))
    .description('register a database, signed by an operator, and have the recorder read it at its next start')
    .action(async (sourceId: string, options: AddOptions) => {
      host.exit(await addSource(host.context(), sourceId, options));
    });
}

/** The registration carries the server's own identifier: another server under the same address is another source. */
export async function addSource(context: Context, sourceId: string, options: AddOptions): Promise<number> {
  const { tenant } = options;
  const connection = databaseOf(context, options.url);
  const systemId = await readSystemId({ ...connection, applicationName: 'clyra-cli' });
  const exitCode = await issueCommand(context, {
    kind: 'source.registered',
    tenant,
    title: `register source ${sourceId} of ${tenant}`,
    people: ['operator'],
    keyFiles: options.key,
    members: { source_id: sourceId, database: digestOf(identityText(connection)), system_id: systemId },
  });
  if (exitCode !== EXIT.done) return exitCode;
  const slot =
    options.slot ??
    `clyra_${tenant}_${sourceId}`
      .toLowerCase()
      .replaceAll(/[^a-z0-9_]/g, '_')
      .slice(0, 63);
  await putSource(context.layout.sourcesFile, {
    source_id: sourceId,
    tenant,
    connection,
    slot,
    publication: options.publication ?? slot,
    guarded: options.guard,
    ...(options.allowBestEffort === true ? { allow_best_effort: true } : {}),
  });
  context.output.progress(`  ${context.layout.sourcesFile} names it; the recorder reads it at its next start`);
  return exitCode;
}
