// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { type Command, Option } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { issueCommand } from '../intake/issue-command.ts';
import { databaseOf } from '../local/database-of.ts';
import { identityText, putSource, readSystemId } from '../local/sources-file.ts';
import {
  readWarehouseSystemId,
  type WarehouseOptions,
  warehouseEntry,
  warehouseIdentity,
} from '../local/warehouse-source.ts';
import { integerArgument, type KeyOptions, keyOption } from './arguments.ts';

type AddOptions = KeyOptions &
  Partial<WarehouseOptions> & {
    readonly tenant: string;
    readonly kind?: 'postgres' | 'snowflake' | 'databricks';
    readonly url?: string;
    readonly guard: readonly string[];
    readonly slot?: string;
    readonly publication?: string;
    readonly allowBestEffort?: boolean;
  };

export function addSourceCommand(program: Command, host: CommandHost): void {
  const source = program
    .command('source')
    .description('databases whose log, and warehouses whose history, the recorder reads');
  const add = source
    .command('add')
    .argument('<source-id>', 'the name that policies and bundles use')
    .requiredOption('--tenant <tenant>', 'whose source it is')
    .option(
      '--url <url>',
      'postgres://user:password@host:port/database, of a role that may replicate (default: that of `up`)',
    )
    .addOption(
      new Option('--kind <kind>', 'what it is').choices(['postgres', 'snowflake', 'databricks']).default('postgres'),
    )
    .requiredOption(
      '--guard <tables...>',
      'schema.table (of a warehouse catalog.schema.table) of each table that only the gateway may change',
    )
    .option('--slot <name>', 'replication slot (default: from tenant and source id)')
    .option('--publication <name>', 'publication (default: the name of the slot)')
    .option('--allow-best-effort', 'also record PostgreSQL 13 and 14, which cannot be observed in full')
    .addOption(keyOption('an operator'));
  warehouseOptions(add)
    .description('register a database, signed by an operator, and have the recorder read it at its next start')
    .action(async (sourceId: string, options: AddOptions) => {
      host.exit(await addSource(host.context(), sourceId, options));
    });
}

/** The registration carries the server's own identifier: another server under the same address is another source. */
export async function addSource(context: Context, sourceId: string, options: AddOptions): Promise<number> {
  const { tenant, kind = 'postgres' } = options;
  if (kind !== 'postgres') return addWarehouse(context, { kind, source: { source_id: sourceId, tenant } }, options);
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

function warehouseOptions(command: Command): Command {
  return command
    .option('--account <name>', 'Snowflake: the account, ORG-ACCOUNT')
    .option('--address <url>', 'Snowflake: where the account is, if not at its usual address')
    .option('--user <name>', 'Snowflake: the user that reads the history')
    .option('--role <name>', 'Snowflake: its role')
    .option('--warehouse <name>', 'Snowflake: the virtual warehouse that runs its queries')
    .option('--redemptions <table>', 'Snowflake: database.schema.table in which redeeming procedures leave their rows')
    .option('--no-access-history', 'Snowflake: the account has no ACCESS_HISTORY')
    .option('--private-key-file <file>', 'Snowflake: PEM of the user’s private key')
    .option('--password-file <file>', 'Snowflake: file that holds a password or programmatic access token')
    .option('--password-env <name>', 'Snowflake: variable of the recorder’s environment that holds it')
    .option('--host <host>', 'Databricks: of the workspace')
    .option('--port <port>', 'Databricks: if not 443', integerArgument)
    .option('--path <path>', 'Databricks: of the SQL warehouse, /sql/1.0/warehouses/…')
    .option('--token-file <file>', 'Databricks: file that holds the token')
    .option('--token-env <name>', 'Databricks: variable of the recorder’s environment that holds it')
    .option('--tls-ca-file <file>', 'Databricks: PEM of an authority beside the usual ones');
}

/** The registration carries what the warehouse says of itself: another one at the same address is another source. */
async function addWarehouse(
  context: Context,
  {
    kind,
    source,
  }: { readonly kind: 'snowflake' | 'databricks'; readonly source: { source_id: string; tenant: string } },
  options: AddOptions,
): Promise<number> {
  const { sourcesFile } = context.layout;
  const entry = warehouseEntry(kind, source, { accessHistory: true, ...options });
  const systemId = await readWarehouseSystemId(entry, sourcesFile);
  const exitCode = await issueCommand(context, {
    kind: 'source.registered',
    tenant: source.tenant,
    title: `register source ${source.source_id} of ${source.tenant}`,
    people: ['operator'],
    keyFiles: options.key,
    members: { source_id: source.source_id, database: digestOf(warehouseIdentity(entry)), system_id: systemId },
  });
  if (exitCode !== EXIT.done) return exitCode;
  await putSource(sourcesFile, entry);
  context.output.progress(`  ${sourcesFile} names it; the recorder reads it at its next start`);
  return exitCode;
}
