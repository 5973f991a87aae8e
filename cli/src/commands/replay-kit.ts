// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { RelationName } from '@clyra/adapter-postgres/sql-identifier';
import { isJsonObject } from '@clyra/core/canonical/json-value';
import { ClyraError } from '@clyra/core/kernel/error';
import type { ReplayKit } from '@clyra/core/replay/replay-kit';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { databaseOf } from '../local/database-of.ts';
import { jsonOf } from '../local/json-of.ts';
import { readBytes } from '../policy/read-text.ts';
import { readDbtRun } from '../replay/dbt-kit.ts';
import { makeKit } from '../replay/make-kit.ts';
import { collect } from './arguments.ts';

type KitOptions = {
  readonly tenant: string;
  readonly source: string;
  readonly url?: string;
  readonly table?: readonly string[];
  readonly base?: readonly string[];
  readonly targets?: string;
  readonly sequence?: readonly string[];
  readonly artifacts: string;
  readonly dbtTarget?: string;
  readonly dbtProject?: string;
  readonly dbtRunId?: string;
};

export function addReplayKitCommand(program: Command, host: CommandHost): void {
  program
    .command('replay-kit')
    .summary('what a data replay needs that stands in no line')
    .description(
      'Write down where the replay of a bundle starts and what must be there at its end, with no value of a row.',
    )
    .requiredOption('--tenant <tenant>', 'whose data it is: columns are digested under its key')
    .requiredOption('--source <source-id>', 'the source as its observations name it')
    .option('--table <name>', 'schema.table whose content is compared; repeat', collect)
    .option('--url <url>', 'postgres://user:password@host:port/database after the changes (default: that of `up`)')
    .option(
      '--base <file>',
      'SQL that makes the state before the first change (no COPY data); repeat in order',
      collect,
    )
    .option('--targets <file>', 'JSON object from event id to request target')
    .option('--sequence <value>', 'schema.name=value before the first change; repeat', collect)
    .option('--dbt-target <dir>', 'what a dbt run left: its nodes are repeated, and all that it built is compared')
    .option('--dbt-project <dir>', 'where the files of its seeds are (default: the folder above)')
    .option('--dbt-run-id <run-id>', 'the run of the journal whose changes the dbt run made')
    .requiredOption('--artifacts <dir>', 'folder that gets the base and the kit by digest, and holds stored bodies')
    .action(async (options: KitOptions) => makeKitFrom(host.context(), options));
}

async function makeKitFrom(context: Context, options: KitOptions): Promise<void> {
  const base: Buffer[] = [];
  for (const file of options.base ?? []) base.push(await readBytes(file));
  const tables = (options.table ?? []).map(relationOf);
  const { dbtTarget: target, dbtProject: project, dbtRunId: runId } = options;
  if (target === undefined && tables.length === 0) throw argument('name a --table, or what dbt left with --dbt-target');
  const dbt =
    target === undefined ? undefined : await readDbtRun({ target, project: project ?? join(target, '..'), runId });
  const { file, digest, tableCount } = await makeKit(context, {
    tenant: options.tenant,
    source_id: options.source,
    base,
    tables,
    sequences: (options.sequence ?? []).map(sequenceOf),
    targets: options.targets === undefined ? [] : targetsOf(await readBytes(options.targets), options.targets),
    connection: databaseOf(context, options.url),
    artifacts: options.artifacts,
    ...(dbt === undefined ? {} : { dbt }),
  });
  context.output.result({ kit: file, sha256: digest }, `${file} is the replay kit of ${tableCount} tables.`);
}

function relationOf(text: string): RelationName {
  const [schema, name, ...more] = text.split('.');
  if (schema && name && more.length === 0) return { schema, name };
  throw argument(`write ${text} as schema.table`);
}

function sequenceOf(text: string): ReplayKit['sequences'][number] {
  const [relation = '', value = ''] = text.split('=');
  if (!/^-?\d{1,15}$/.test(value)) throw argument(`write ${text} as schema.name=value`);
  return { ...relationOf(relation), value: Number(value) };
}

function targetsOf(bytes: Buffer, path: string): ReplayKit['targets'] {
  const map = jsonOf(bytes, path);
  if (!isJsonObject(map)) throw argument(`${path} is no object from event id to target`);
  return Object.entries(map).map(([event_id, target]) => ({ event_id, target: String(target) }));
}

function argument(what: string): ClyraError {
  return new ClyraError('CLY_CLI_ARGUMENT', what, { retry: 'never' });
}
