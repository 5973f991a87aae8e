// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import { takeSnapshot } from '@clyra/adapter-postgres/take-snapshot';
import { digestOf } from '@clyra/core/canonical/digest';
import { readSnapshotPolicy } from '@clyra/core/snapshot/read-snapshot';
import { encodeSnapshot, type SnapshotPolicy } from '@clyra/core/snapshot/snapshot';
import { writeWhole } from '@clyra/runtime/whole-file';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { databaseOf } from '../local/database-of.ts';
import { jsonOf } from '../local/json-of.ts';
import { secretFile, tenantSecret } from '../local/secret-file.ts';
import { identityText } from '../local/sources-file.ts';
import { textTable } from '../text-table.ts';

type SnapshotOptions = {
  readonly tenant: string;
  readonly url?: string;
  readonly source?: string;
  readonly policy?: string;
  readonly relation?: readonly string[];
  readonly out: string;
};

export function addSnapshotCommand(program: Command, host: CommandHost): void {
  program
    .command('snapshot')
    .requiredOption('--tenant <tenant>', 'whose database it is')
    .requiredOption('--out <file>', 'where the snapshot is written')
    .option('--url <url>', 'postgres://user:password@host:port/database (default: that of `up`)')
    .option('--source <source-id>', 'the source that it is registered as')
    .option('--policy <file>', 'JSON snapshot policy: parts, relations, sample_rows (default: metadata of everything)')
    .option('--relation <names...>', 'schema.name or schema.*; wins over the policy')
    .description('the metadata of a database in one consistent read, with its place in the log; no row value')
    .action(async (options: SnapshotOptions) => takeAndWrite(host.context(), options));
}

async function takeAndWrite(context: Context, options: SnapshotOptions): Promise<void> {
  const { tenant } = options;
  const policy = await policyOf(options);
  const connection = databaseOf(context, options.url);
  const key = await tenantSecret(context, secretFile(context, `snapshot-${tenant}`));
  const client = openSqlClient({ connection: { ...connection, applicationName: 'clyra-cli' }, connectionsMax: 2 });
  try {
    const snapshot = await takeSnapshot(client, {
      tenant,
      sourceId: options.source ?? null,
      dsn: identityText(connection),
      key,
      policy,
    });
    const bytes = encodeSnapshot(snapshot);
    await writeWhole(options.out, bytes);
    const digest = digestOf(bytes);
    const { anchor, relations, schema_digest: schemaDigest } = snapshot;
    context.output.result(
      {
        file: options.out,
        sha256: digest,
        schema_digest: schemaDigest,
        relations: relations.length,
        anchor: { ...anchor },
      },
      textTable(
        ['snapshot', options.out],
        [
          ['relations', String(relations.length)],
          ['position', `${anchor.lsn} on timeline ${anchor.timeline} of ${anchor.system_id}`],
          ['schema', schemaDigest],
          ['sha256', digest],
        ],
      ),
    );
  } finally {
    await client.close();
  }
}

async function policyOf({ policy, relation }: SnapshotOptions): Promise<SnapshotPolicy> {
  const written = policy === undefined ? {} : jsonOf(await readFile(policy), policy);
  const read = readSnapshotPolicy(written);
  return relation === undefined
    ? read
    : readSnapshotPolicy({ ...read, parts: [...read.parts], relations: [...relation] });
}
