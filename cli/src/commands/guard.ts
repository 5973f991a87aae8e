// SPDX-License-Identifier: Apache-2.0
import { type GuardStatus, guardStatus, installGuard, uninstallGuard } from '@clyra/adapter-postgres/guard';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import type { RelationName } from '@clyra/adapter-postgres/sql-identifier';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { addGrantPlace } from '../guard/grant-places-file.ts';
import { guardSql } from '../guard/guard-files.ts';
import { databaseOf } from '../local/database-of.ts';
import { secretFile, tenantSecret } from '../local/secret-file.ts';
import { readSources } from '../local/sources-file.ts';
import { textTable } from '../text-table.ts';

type DatabaseOptions = { readonly url?: string };
type InstallOptions = DatabaseOptions & {
  readonly tenant: string;
  readonly guard?: readonly string[];
  readonly writer: readonly string[];
  readonly review?: boolean;
  readonly grantKey?: string;
};

const URL_TEXT = 'postgres://user:password@host:port/database, of a superuser (default: that of `up`)';

export function addGuardCommand(program: Command, host: CommandHost): void {
  const guard = program
    .command('guard')
    .description('guards of a PostgreSQL database: nothing is written without a grant');
  guard
    .command('install')
    .argument('<source-id>', 'the source that the database was registered as')
    .requiredOption('--tenant <tenant>', 'whose source it is')
    .option('--url <url>', URL_TEXT)
    .option('--guard <tables...>', 'schema.table of each table (default: those of `source add`)')
    .option('--writer <roles...>', 'roles that may write these tables with a grant', [])
    .option('--review', 'only watch: refuse nothing')
    .option(
      '--grant-key <file>',
      'key that grants are made with, in hexadecimal digits (default: made beside the keys)',
    )
    .description('install the guard, or bring it up to date; repeating it changes nothing')
    .action(async (sourceId: string, options: InstallOptions) => {
      host.exit(await install(host.context(), sourceId, options));
    });
  guard
    .command('status')
    .option('--url <url>', URL_TEXT)
    .description('what is guarded, and what is wrong with the guard; exit code 1 if anything is')
    .action(async (options: DatabaseOptions) => {
      host.exit(await status(host.context(), options));
    });
  guard
    .command('uninstall')
    .option('--url <url>', URL_TEXT)
    .description('take the guard away and give back the privileges that it took')
    .action(async (options: DatabaseOptions) => {
      await uninstall(host.context(), options);
    });
}

async function install(context: Context, sourceId: string, options: InstallOptions): Promise<number> {
  const { tenant } = options;
  const keyFile = options.grantKey ?? secretFile(context, `grant-${tenant}-${sourceId}`);
  const relations = await relationsOf(context, sourceId, options);
  const [installSql, key] = await Promise.all([guardSql('install'), tenantSecret(context, keyFile)]);
  const review = options.review === true;
  const found = await withDatabase(context, options, (client) =>
    installGuard(client, { installSql, sourceId, key, review, relations, writers: options.writer }),
  );
  const { database } = databaseOf(context, options.url);
  const place = { source_id: sourceId, tenant, database, key: Buffer.from(key).toString('hex') };
  await addGrantPlace(context.layout.grantPlacesFile, place);
  context.output.progress(
    `  grants for it are made with ${keyFile}; an intake that runs learns of it at its next start`,
  );
  return show(context, found);
}

async function relationsOf(context: Context, sourceId: string, options: InstallOptions): Promise<RelationName[]> {
  const entries = await readSources(context.layout.sourcesFile);
  const entry = entries.find((one) => one.source_id === sourceId && one.tenant === options.tenant);
  const names = options.guard ?? entry?.guarded ?? [];
  if (names.length === 0) throw wrong('name at least one table with --guard: this source is not in sources.json');
  return names.map((name) => {
    const [schema, table, ...rest] = name.split('.');
    if (schema && table && rest.length === 0) return { schema, name: table };
    throw wrong(`write ${name} as schema.table`);
  });
}

async function status(context: Context, options: DatabaseOptions): Promise<number> {
  const found = await withDatabase(context, options, guardStatus);
  if (found !== undefined) return show(context, found);
  context.output.result({ installed: false }, 'no guard is installed');
  return EXIT.refused;
}

function show({ output }: Context, found: GuardStatus): number {
  const rows = [
    ['source', found.source_id ?? '–'],
    ['mode', found.mode ?? '–'],
    ['guarded', found.guarded.join(', ') || '–'],
    ['grants used', String(found.redemptions)],
    ['code', found.code_digest ?? '–'],
    ...found.problems.map((problem) => ['problem', problem]),
  ];
  output.result({ installed: true, ...found } as unknown as JsonObject, textTable(['guard', ''], rows));
  return found.problems.length === 0 ? EXIT.done : EXIT.refused;
}

async function uninstall(context: Context, options: DatabaseOptions): Promise<void> {
  const uninstallSql = await guardSql('uninstall');
  await withDatabase(context, options, (client) => uninstallGuard(client, uninstallSql));
  context.output.result({ installed: false }, 'the guard is gone');
}

async function withDatabase<Value>(
  context: Context,
  { url }: DatabaseOptions,
  work: (client: SqlClient) => Promise<Value>,
): Promise<Value> {
  const connection = { ...databaseOf(context, url), applicationName: 'clyra-cli' };
  const client = openSqlClient({ connection, connectionsMax: 1 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function wrong(message: string): ClyraError {
  return new ClyraError('CLY_CLI_ARGUMENT', message, { retry: 'never' });
}
