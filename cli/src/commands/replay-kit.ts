// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprintTables } from '@clyra/adapter-postgres/fingerprint-tables';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import type { RelationName } from '@clyra/adapter-postgres/sql-identifier';
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { isJsonObject } from '@clyra/core/canonical/json-value';
import { ClyraError } from '@clyra/core/kernel/error';
import { columnDigest, encodeReplayKit, type ReplayKit, readReplayKit } from '@clyra/core/replay/replay-kit';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { databaseOf } from '../local/database-of.ts';
import { jsonOf } from '../local/json-of.ts';
import { secretFile, tenantSecret } from '../local/secret-file.ts';
import { writeWhole } from '../local/write-file.ts';
import { readBytes } from '../policy/read-text.ts';
import { collect } from './arguments.ts';

type KitOptions = {
  readonly tenant: string;
  readonly source: string;
  readonly url?: string;
  readonly table: readonly string[];
  readonly base?: readonly string[];
  readonly targets?: string;
  readonly sequence?: readonly string[];
  readonly artifacts: string;
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
    .requiredOption('--table <name>', 'schema.table whose content is compared; repeat', collect)
    .option('--url <url>', 'postgres://user:password@host:port/database after the changes (default: that of `up`)')
    .option(
      '--base <file>',
      'SQL that makes the state before the first change (no COPY data); repeat in order',
      collect,
    )
    .option('--targets <file>', 'JSON object from event id to request target')
    .option('--sequence <value>', 'schema.name=value before the first change; repeat', collect)
    .requiredOption('--artifacts <dir>', 'folder that gets the base and the kit by digest, and holds stored bodies')
    .action(async (options: KitOptions) => makeKit(host.context(), options));
}

async function makeKit(context: Context, options: KitOptions): Promise<void> {
  const tables = options.table.map(relationOf);
  await mkdir(options.artifacts, { recursive: true });
  const keep = async (bytes: Uint8Array): Promise<Digest> => {
    const digest = digestOf(bytes);
    await writeWhole(join(options.artifacts, digest), bytes);
    return digest;
  };
  const base: Digest[] = [];
  for (const file of options.base ?? []) base.push(await keep(await readBytes(file)));
  const kit: ReplayKit = {
    format: 'clyra/replay-kit/v0',
    tenant: options.tenant,
    source_id: options.source,
    base,
    schemas: [...new Set(tables.map(({ schema }) => schema))].sort(),
    search_path: [...new Set(tables.map(({ schema }) => schema))],
    sequences: (options.sequence ?? []).map(sequenceOf),
    targets: options.targets === undefined ? [] : targetsOf(await readBytes(options.targets), options.targets),
    expected: await expectedOf(context, options, tables),
  };
  const bytes = encodeReplayKit(kit);
  readReplayKit(bytes);
  const digest = await keep(bytes);
  const file = join(options.artifacts, digest);
  context.output.result({ kit: file, sha256: digest }, `${file} is the replay kit of ${kit.expected.length} tables.`);
}

async function expectedOf(
  context: Context,
  options: KitOptions,
  tables: readonly RelationName[],
): Promise<ReplayKit['expected']> {
  const key = await tenantSecret(context, secretFile(context, `snapshot-${options.tenant}`));
  const connection = { ...databaseOf(context, options.url), applicationName: 'clyra-cli' };
  const client = openSqlClient({ connection, connectionsMax: 1 });
  try {
    const found = await fingerprintTables(client, tables);
    return tables.map(({ schema, name }) => {
      const relation = `${schema}.${name}`;
      const print = found.get(relation);
      if (print === undefined) throw argument(`there is no table ${relation}`);
      const columns = [...print.sums].map(([column, sum]) => ({
        name: column,
        digest: columnDigest(key, { relation, column, sum }),
      }));
      return { schema, name, rows: print.rows, columns };
    });
  } finally {
    await client.close();
  }
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
