// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBlobStore } from '@clyra/adapter-blob/open-blob-store';
import { logFileName, readLogFile } from '@clyra/adapter-databricks/delta-log';
import { digestOf } from '@clyra/core/canonical/digest';
import { DatabricksHistory } from '@clyra/recorder/warehouse/databricks/databricks-history';
import type { ObservedStatement } from '@clyra/recorder/warehouse/observed-statement';
import { realClock } from '@clyra/testing/real-clock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { selfSigned } from '../databricks/self-signed.ts';
import { ThriftDoor } from '../databricks/thrift-door.ts';
import { NOTHING_TOLD } from '../warehouse-world.ts';
import type { WireAnswer } from './answer-book.ts';
import { expectedOf, TABLE } from './deeds.ts';
import { type Recording, readRecording } from './recording.ts';
import { toldByLook } from './told.ts';

const TOKEN = 'dapi-stand-in';
const HOUR = 3_600_000;

let recording: Recording;
let folder: string;
let cert: string;
let door: ThriftDoor;

beforeAll(async () => {
  recording = await readRecording();
  folder = await mkdtemp(join(tmpdir(), 'clyra-recorded-log-'));
  for (const [version, lines] of recording.log.entries()) {
    await writeFile(join(folder, logFileName(version)), textOf(lines));
  }
  const certificate = await selfSigned();
  cert = certificate.cert;
  const byStatement = new Map(recording.answers.map((answer) => [answer.statement, answer]));
  door = await ThriftDoor.open((sql) => answerOf(byStatement.get(sql)), { certificate, token: TOKEN });
});
afterAll(async () => {
  await door?.close();
  await rm(folder, { recursive: true, force: true });
});

const textOf = (lines: readonly unknown[]): string => `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;

function answerOf(recorded: WireAnswer | undefined) {
  if (recorded === undefined) return { sqlState: '0A000', message: 'nobody asked Spark this' };
  const { columns, rows, sqlState } = recorded;
  return sqlState === null ? { columns, rows } : { sqlState, message: 'as recorded' };
}

/** All that is told of the table after its creation, newest last, and the blind spots that go with it. */
async function look(deltaLogs: ReadonlyMap<string, string>) {
  const token = async (): Promise<string> => TOKEN;
  const connection = { host: '127.0.0.1', port: door.port, path: '/sql/1.0/warehouses/stand-in', token, tlsCa: cert };
  const times = { lagMs: 0, overlapMs: HOUR, lineageLagMs: HOUR };
  const history = new DatabricksHistory(
    { connection, guarded: [TABLE], ...times, readsLineage: true, deltaLogs },
    { openBlobs: (where) => openBlobStore(where, realClock) },
  );
  try {
    const { nowMs, systemId } = await history.facts();
    const since = { beganMs: 0, horizonMs: 0 };
    const pass = await history.read({ nowMs, ...since, ...NOTHING_TOLD });
    const { blindSpots } = await history.coverage();
    return { ...pass, systemId, blindSpots };
  } finally {
    await history.close();
  }
}

const versionOf = ({ id }: ObservedStatement): number => Number(id.slice(id.lastIndexOf('@') + 1));

describe('what Spark and Delta answered once, through the real driver', () => {
  it('is told as it was made', async () => {
    const { statements, gaps, systemId, blindSpots } = await look(new Map());
    expect(statements.map(versionOf)).toEqual(recording.log.map((_, version) => version));
    expect(statements.slice(1).map(toldByLook)).toEqual(expectedOf(false));
    expect([gaps, systemId]).toEqual([[], 'databricks-host:127.0.0.1']);
    expect(blindSpots).toEqual(
      expect.arrayContaining([{ code: 'no_lineage' }, { code: 'maintenance_unproved', relation: TABLE }]),
    );
  });

  it('is told with the digests of its log where that can be read', async () => {
    const { statements, gaps } = await look(new Map([[TABLE, folder]]));
    expect(statements.slice(1).map(toldByLook)).toEqual(expectedOf(true));
    expect(statements.map(({ logDigest }) => logDigest)).toEqual(recording.log.map((lines) => digestOf(textOf(lines))));
    expect(gaps).toEqual([]);
  });

  it('says in its log what the driver shows empty', async () => {
    const files = recording.log.map((lines) => readLogFile(Buffer.from(textOf(lines))));
    const { statements } = await look(new Map());
    const merge = statements.findIndex(({ operation }) => operation === 'MERGE');
    expect(Object.keys(files[merge]?.parameters ?? {}).sort()).toEqual([
      'matchedPredicates',
      'notMatchedBySourcePredicates',
      'notMatchedPredicates',
      'predicate',
    ]);
    // The parameters come second in what the digest is made of: unknown, not none.
    expect(statements[merge]?.content.split('\n')[1]).toBe('null');
    const upkeep = statements.flatMap(({ maintenance }, version) => (maintenance === true ? [version] : []));
    expect(upkeep.map((version) => files[version]?.changesData)).toEqual([false, false, false]);
  });
});
