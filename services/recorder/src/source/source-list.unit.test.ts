// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PostgresSettings } from './postgres-entry.ts';
import { readSourceList } from './source-list.ts';

const ENTRY = {
  source_id: 'crm',
  tenant: 'acme',
  connection: { host: '127.0.0.1', port: 5432, database: 'crm', user: 'recorder', passwordFile: 'secret' },
  slot: 'clyra_crm',
  publication: 'clyra_crm',
  guarded: ['public.activations', 'public.with.dot'],
};

describe('sources.json', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clyra-sources-'));
    await writeFile(join(folder, 'secret'), 'first\n');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function read(content: unknown): ReturnType<typeof readSourceList> {
    const path = join(folder, 'sources.json');
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return readSourceList(path);
  }

  it('gives the sources, and reads a secret anew for each connection', async () => {
    const [source] = (await read([ENTRY])) as PostgresSettings[];
    expect(source).toMatchObject({ sourceId: 'crm', tenant: 'acme' });
    expect(source?.request.guarded).toEqual({
      tables: [
        { schema: 'public', name: 'activations' },
        { schema: 'public', name: 'with.dot' },
      ],
      schemas: [],
    });
    const password = source?.request.connection.password as () => Promise<string>;
    expect(await password()).toBe('first');
    await writeFile(join(folder, 'secret'), 'second\n');
    expect(await password()).toBe('second');
  });

  it.each([
    ['no JSON', '{'],
    ['no list', {}],
    ['a tenant that is none', [{ ...ENTRY, tenant: 'Acme' }]],
    ['a slot that PostgreSQL refuses', [{ ...ENTRY, slot: 'Clyra' }]],
    ['a relation without a schema', [{ ...ENTRY, guarded: ['activations'] }]],
    ['an unknown member', [{ ...ENTRY, guard: [] }]],
    ['a port that is none', [{ ...ENTRY, connection: { ...ENTRY.connection, port: 0 } }]],
    ['one slot for two sources', [ENTRY, { ...ENTRY, source_id: 'erp' }]],
    ['one source twice', [ENTRY, { ...ENTRY, slot: 'other' }]],
  ])('is refused where it has %s', async (_what, content) => {
    await expect(read(content)).rejects.toMatchObject({ code: 'CLY_RECORDER_SOURCES', retry: 'never' });
  });

  it('is refused where it is missing', async () => {
    await expect(readSourceList(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'CLY_RECORDER_SOURCES' });
  });
});
