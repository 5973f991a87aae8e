// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { putSource } from '@clyra/cli/local/sources-file';
import { readWarehouseSystemId, warehouseEntry, warehouseIdentity } from '@clyra/cli/local/warehouse-source';
import { readSourceList } from '@clyra/recorder/source/source-list';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeltaTables } from './databricks/delta-tables.ts';
import { type Certificate, selfSigned } from './databricks/self-signed.ts';
import { ThriftDoor } from './databricks/thrift-door.ts';
import { SnowflakeServer, STANDIN_PASSWORD, STANDIN_SYSTEM_ID, STANDIN_USER } from './snowflake/snowflake-server.ts';

const SOURCE = { source_id: 'snow', tenant: 'acme' };

/** What `clyra source add` does beside the signed command: it asks the warehouse who it is, and writes what the recorder reads. */
describe('a warehouse that is added', () => {
  let folder: string;
  let server: SnowflakeServer;
  let door: ThriftDoor;
  let certificate: Certificate;
  const tables = new DeltaTables();
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clyra-source-add-'));
    certificate = await selfSigned();
    server = await SnowflakeServer.start();
    door = await ThriftDoor.open(tables.answer, { certificate, token: 'dapi' });
    await writeFile(join(folder, 'password'), `${STANDIN_PASSWORD}\n`);
    await writeFile(join(folder, 'token'), 'dapi\n');
    await writeFile(join(folder, 'ca.pem'), certificate.cert);
  }, 300_000);
  afterAll(async () => {
    await server.kill();
    await door.close();
    await rm(folder, { recursive: true, force: true });
  });

  const snowflake = () =>
    warehouseEntry('snowflake', SOURCE, {
      ...{ account: 'ORG-ACME', address: server.address, user: STANDIN_USER },
      passwordFile: join(folder, 'password'),
      ...{ guard: ['CRM.PUBLIC.CONTACTS'], redemptions: 'CLYRA.GUARD.REDEMPTIONS', accessHistory: false },
    });

  it('says who it is, and its entry is one that the recorder reads, without a secret', async () => {
    const path = join(folder, 'sources.json');
    const lake = warehouseEntry(
      'databricks',
      { source_id: 'lake', tenant: 'acme' },
      {
        ...{ host: '127.0.0.1', port: door.port, path: '/sql/1.0/warehouses/x', accessHistory: true },
        ...{ tokenFile: join(folder, 'token'), tlsCaFile: join(folder, 'ca.pem'), guard: ['main.crm.contacts'] },
      },
    );
    expect(await readWarehouseSystemId(snowflake(), path)).toBe(STANDIN_SYSTEM_ID);
    expect(await readWarehouseSystemId(lake, path)).toBe(`databricks:${tables.metastore}`);
    expect(warehouseIdentity(snowflake())).toBe('snowflake://ORG-ACME');
    expect(warehouseIdentity(lake)).toBe('databricks://127.0.0.1/sql/1.0/warehouses/x');
    await putSource(path, snowflake());
    await putSource(path, lake);
    expect(await readFile(path, 'utf8')).not.toContain(STANDIN_PASSWORD);
    const [first, second] = await readSourceList(path);
    expect(first).toMatchObject({ kind: 'snowflake', sourceId: 'snow', snowflake: { hasAccessHistory: false } });
    expect(second).toMatchObject({ kind: 'databricks', databricks: { guarded: ['main.crm.contacts'] } });
  });

  it.each([
    ['without a secret', { passwordFile: undefined }],
    ['without an account', { account: undefined }],
    ['with a table of two parts', { guard: ['public.contacts'] }],
    ['with a redemption table that is no plain name', { redemptions: 'a.b.c; drop table d' }],
  ])('is refused %s', async (_what, wrong) => {
    const options = { account: 'A', user: 'u', passwordFile: 'p', guard: ['A.B.C'], accessHistory: true, ...wrong };
    const entry = warehouseEntry('snowflake', SOURCE, options as Parameters<typeof warehouseEntry>[2]);
    await expect(readWarehouseSystemId(entry, 'sources.json')).rejects.toMatchObject({ code: 'CLY_CLI_ARGUMENT' });
  });

  it('is not added where its secret is wrong', async () => {
    await writeFile(join(folder, 'other'), 'wrong');
    const entry = { ...snowflake(), connection: { ...snowflake().connection, passwordFile: join(folder, 'other') } };
    const asked = readWarehouseSystemId(entry, join(folder, 'sources.json'));
    await expect(asked).rejects.toMatchObject({ code: 'CLY_SOURCE_AUTH' });
  });
});
