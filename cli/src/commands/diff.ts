// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ComparedTables, diffTables } from '@clyra/adapter-postgres/diff-tables';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import type { RelationName } from '@clyra/adapter-postgres/sql-identifier';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { diffPage } from '@clyra/core/diff/diff-page';
import { type DiffReport, diffReport, encodeDiff, snapshotSide } from '@clyra/core/diff/diff-report';
import { diffText } from '@clyra/core/diff/diff-text';
import { metricDrift } from '@clyra/core/diff/metric-drift';
import { schemaDrift } from '@clyra/core/diff/schema-drift';
import { ClyraError } from '@clyra/core/kernel/error';
import { readSnapshot } from '@clyra/core/snapshot/read-snapshot';
import { writeWhole } from '@clyra/runtime/whole-file';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { databaseOf } from '../local/database-of.ts';
import { jsonOf } from '../local/json-of.ts';
import { secretFile, tenantSecret } from '../local/secret-file.ts';
import { identityText } from '../local/sources-file.ts';
import { integerArgument } from './arguments.ts';

type OutputOptions = { readonly html?: string; readonly out?: string };
type TableOptions = OutputOptions & {
  readonly tenant: string;
  readonly before?: string;
  readonly after?: string;
  readonly table: readonly string[];
  readonly showKeys?: boolean;
  readonly columns?: boolean;
  readonly asText?: boolean;
  readonly keysMax: number;
  readonly rowsMax: number;
};

export function addDiffCommand(program: Command, host: CommandHost): void {
  const diff = program.command('diff').description('what differs between two states; exit code 1 if anything does');
  withOutput(
    diff.command('snapshots').argument('<before>', 'file of `clyra snapshot`').argument('<after>', 'another one'),
  )
    .description('schema drift, and volumes, between two snapshots')
    .action(async (before: string, after: string, options: OutputOptions) => {
      host.exit(await show(host.context(), await snapshotsReport(before, after), options));
    });
  withOutput(diff.command('tables'))
    .requiredOption('--table <names...>', 'schema.table, or before=after where the names differ')
    .requiredOption('--tenant <tenant>', 'whose data it is: keys are shown as digests under its key')
    .option('--before <url>', 'postgres://user:password@host:port/database (default: that of `up`)')
    .option('--after <url>', 'the other database (default: the same)')
    .option('--show-keys', 'show the keys of differing rows as they are')
    .option('--columns', 'checksums of every column over the whole table')
    .option('--as-text', 'compare values as text, as another engine would')
    .option('--keys-max <count>', 'keys listed of each kind', integerArgument, 20)
    .option('--rows-max <count>', 'rows fetched at once where tables differ', integerArgument, 100_000)
    .description('rows added, removed and changed between tables of one or two databases')
    .action(async (options: TableOptions) => {
      const context = host.context();
      host.exit(await show(context, await tablesReport(context, options), options));
    });
  withOutput(
    diff
      .command('metrics')
      .argument('<before>', 'semantic_manifest.json or manifest.json')
      .argument('<after>', 'of the other run'),
  )
    .description('metric definitions of two dbt runs, classed C1 (metadata) to C4 (gone)')
    .action(async (before: string, after: string, options: OutputOptions) => {
      host.exit(await show(host.context(), await metricsReport(before, after), options));
    });
}

function withOutput(command: Command): Command {
  return command
    .option('--html <file>', 'write the report as one page that needs nothing else')
    .option('--out <file>', 'write the report as canonical JSON');
}

async function show(context: Context, report: DiffReport, { html, out }: OutputOptions): Promise<number> {
  if (html !== undefined) await writeWhole(html, diffPage(report));
  if (out !== undefined) await writeWhole(out, encodeDiff(report));
  context.output.result(report as unknown as JsonObject, diffText(report));
  return report.equal ? EXIT.done : EXIT.refused;
}

async function snapshotsReport(before: string, after: string): Promise<DiffReport> {
  const [old, now] = (await Promise.all(
    [before, after].map(async (path) => {
      const bytes = await readFile(path);
      const snapshot = readSnapshot(bytes);
      return { snapshot, side: snapshotSide(path, snapshot, bytes) };
    }),
  )) as [Read, Read];
  return diffReport(old.side, now.side, { drift: schemaDrift(old.snapshot, now.snapshot) });
}

type Read = { readonly snapshot: ReturnType<typeof readSnapshot>; readonly side: ReturnType<typeof snapshotSide> };

async function metricsReport(before: string, after: string): Promise<DiffReport> {
  const [old, now] = (await Promise.all([before, after].map((path) => readFile(path)))) as [Buffer, Buffer];
  const side = (label: string, bytes: Uint8Array) => ({ label, anchor: null, digest: digestOf(bytes) });
  const metrics = metricDrift(jsonOf(old, before), jsonOf(now, after));
  return diffReport(side(before, old), side(after, now), { metrics });
}

async function tablesReport(context: Context, options: TableOptions): Promise<DiffReport> {
  const pairs = options.table.map(pairOf);
  const key = await tenantSecret(context, secretFile(context, `snapshot-${options.tenant}`));
  const digest = (text: string): string =>
    createHmac('sha256', key).update('clyra/key/v0\n').update(text).digest('hex').slice(0, 32);
  const connections = [
    databaseOf(context, options.before),
    databaseOf(context, options.after ?? options.before),
  ] as const;
  const clients = connections.map((connection) =>
    openSqlClient({ connection: { ...connection, applicationName: 'clyra-cli' } }),
  );
  try {
    const tables: ComparedTables[] = [];
    for (const { name, relations } of pairs) {
      const compared = await diffTables({
        clients: clients as [(typeof clients)[number], (typeof clients)[number]],
        relations,
        name,
        keysMax: options.keysMax,
        rowsMax: options.rowsMax,
        withColumnSums: options.columns === true,
        asText: options.asText === true,
        showKey: options.showKeys === true ? (text) => text : digest,
      });
      tables.push(compared);
    }
    const [before, after] = connections.map((connection) => ({
      label: identityText(connection),
      anchor: null,
      digest: null,
    }));
    if (before === undefined || after === undefined) throw new Error('there are two sides');
    return diffReport(before, after, { tables });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

type Pair = { readonly name: string; readonly relations: readonly [RelationName, RelationName] };

function pairOf(text: string): Pair {
  const [before = '', after = before, ...rest] = text.split('=');
  const relations = [before, after].map((name) => {
    const [schema, table, ...more] = name.split('.');
    if (schema && table && more.length === 0 && rest.length === 0) return { schema, name: table };
    throw new ClyraError('CLY_CLI_ARGUMENT', `write ${text} as schema.table, or before=after`, { retry: 'never' });
  });
  return { name: text, relations: relations as unknown as Pair['relations'] };
}
