// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { readSnapshot, readSnapshotPolicy } from '../snapshot/read-snapshot.ts';
import { encodeSnapshot, type Snapshot, type SnapshotRelation, schemaDigest } from '../snapshot/snapshot.ts';
import { diffPage } from './diff-page.ts';
import { diffReport, encodeDiff, snapshotSide } from './diff-report.ts';
import { diffText } from './diff-text.ts';
import { metricDrift } from './metric-drift.ts';
import { schemaDrift } from './schema-drift.ts';

const CONTACTS: SnapshotRelation = {
  schema: 'public',
  name: 'contacts',
  kind: 'table',
  owner: 'crm',
  replica_identity: 'default',
  row_security: false,
  columns: [
    { name: 'id', type: 'integer', nullable: false, default: null, generated: null, collation: null },
    { name: 'note', type: 'text', nullable: true, default: `'<b>'::text`, generated: null, collation: null },
  ],
  constraints: [{ name: 'contacts_pkey', definition: 'PRIMARY KEY (id)', validated: true }],
  indexes: [],
  grants: [{ grantee: 'app', privilege: 'SELECT', grantable: false }],
  estimate: { rows: 10, pages: 1 },
  size: { table_bytes: 8_192, index_bytes: 8_192 },
  sample: { rows: 10, digest: 'a'.repeat(64) },
};

function snapshot(relations: readonly SnapshotRelation[]): Snapshot {
  return {
    format: 'clyra/snapshot/v0',
    tenant: 'acme',
    source_id: 'crm',
    dsn_digest: 'b'.repeat(64),
    server_version: '15.18',
    taken_at: 1_795_000_000_000,
    anchor: { system_id: '7', timeline: 1, lsn: '0/1', snapshot: '1:1:' },
    policy: readSnapshotPolicy({}),
    relations,
    schema_digest: schemaDigest(relations),
  };
}

const drift = (now: Partial<SnapshotRelation>): ReturnType<typeof schemaDrift> =>
  schemaDrift(snapshot([CONTACTS]), snapshot([{ ...CONTACTS, ...now }]));

describe('schema drift', () => {
  const [id, note] = CONTACTS.columns ?? [];
  if (id === undefined || note === undefined) throw new Error('the table has columns');
  const grant = { grantee: 'app', privilege: 'UPDATE', grantable: true };
  const column = (overrides: object): object => ({ columns: [id, { ...note, ...overrides }] });

  it.each([
    ['a type', column({ type: 'varchar(20)' }), 'changed column note'],
    ['a nullability', column({ nullable: false }), 'changed column note'],
    ['a default', column({ default: null }), 'changed column note'],
    ['a dropped column', { columns: [id] }, 'removed column note'],
    ['an added column', { columns: [id, note, { ...note, name: 'extra' }] }, 'added column extra'],
    ['another order', { columns: [note, id] }, 'changed column_order *'],
    ['a constraint', { constraints: [] }, 'removed constraint contacts_pkey'],
    ['an index', { indexes: [{ name: 'i', definition: 'CREATE INDEX i', valid: true }] }, 'added index i'],
    ['a privilege', { grants: [...(CONTACTS.grants ?? []), grant] }, 'added grant UPDATE to app'],
    ['an owner', { owner: 'dba' }, 'changed property owner'],
    ['row security', { row_security: true }, 'changed property row_security'],
  ])('finds %s, and nothing else', (_, now, expected) => {
    const { changes, volumes } = drift(now);
    expect(changes.map(({ change, what, name }) => `${change} ${what} ${name}`)).toEqual([expected]);
    expect(volumes).toEqual([]);
  });

  it('tells volume apart from the schema, and does not compare a part that was not taken', () => {
    const { changes, volumes } = drift({
      estimate: { rows: 12, pages: 1 },
      sample: { rows: 10, digest: 'c'.repeat(64) },
    });
    expect(changes).toEqual([]);
    expect(volumes).toMatchObject([{ rows_before: 10, rows_after: 12, sample_equal: false }]);
    const { grants: _, indexes: __, columns: ___, ...partial } = CONTACTS;
    expect(schemaDrift(snapshot([CONTACTS]), snapshot([partial])).changes).toEqual([]);
  });

  it('names relations that came and went, in order', () => {
    const other = { ...CONTACTS, name: 'accounts' };
    expect(schemaDrift(snapshot([CONTACTS]), snapshot([other])).changes).toMatchObject([
      { relation: 'public.accounts', change: 'added' },
      { relation: 'public.contacts', change: 'removed' },
    ]);
  });
});

describe('a snapshot', () => {
  it('is read back, and refused where a relation was changed', () => {
    const bytes = encodeSnapshot(snapshot([CONTACTS]));
    expect(readSnapshot(bytes)).toEqual(snapshot([CONTACTS]));
    const altered = Buffer.from(
      Buffer.from(bytes).toString().replace('"crm","priv', '"dba","priv').replace('"owner":"crm"', '"owner":"dba"'),
    );
    expect(() => readSnapshot(altered)).toThrow(expect.objectContaining({ code: 'CLY_SNAPSHOT_CHANGED' }));
    expect(() => readSnapshot(Buffer.from('{}'))).toThrow(expect.objectContaining({ code: 'CLY_SNAPSHOT_SHAPE' }));
  });

  it.each([
    [{ parts: ['rows'] }],
    [{ relations: ['contacts'] }],
    [{ sample_rows: 0 }],
    [{ format: 'other' }],
    [{ more: 1 }],
    [[]],
  ])('has a policy that refuses %j', (policy) => {
    expect(() => readSnapshotPolicy(policy as never)).toThrow(expect.objectContaining({ code: 'CLY_SNAPSHOT_POLICY' }));
  });
});

describe('metric drift', () => {
  const revenue = {
    name: 'revenue',
    type: 'simple',
    description: 'x',
    type_params: { measure: { name: 'amount', filter: null } },
  };
  const now = (overrides: object): ReturnType<typeof metricDrift> =>
    metricDrift({ metrics: [revenue] }, { metrics: { 'metric.p.revenue': { ...revenue, ...overrides } } });

  it.each([
    ['nothing', { original_file_path: 'b.yml' }, []],
    ['a part that is empty either way', { time_granularity: null, config: {} }, []],
    ['a description', { description: 'y' }, ['C1 /description']],
    ['a filter', { type_params: { measure: { name: 'amount', filter: 'paid' } } }, ['C3 /type_params/measure/filter']],
    ['an aggregation beside a label', { type: 'ratio', label: 'z' }, ['C3 /label,/type']],
    ['a member nobody knows', { window: { count: 7 } }, ['C3 /window']],
  ])('classes %s', (_, overrides, expected) => {
    expect(now(overrides).map(({ delta, paths }) => `${delta} ${paths.join(',')}`)).toEqual(expected);
  });

  it('names metrics that came and went, and refuses what is no manifest', () => {
    expect(metricDrift({ metrics: [revenue] }, { metrics: [{ ...revenue, name: 'profit' }] })).toMatchObject([
      { metric: 'profit', delta: 'C2', change: 'added' },
      { metric: 'revenue', delta: 'C4', change: 'removed' },
    ]);
    expect(() => metricDrift({}, { metrics: [] })).toThrow(expect.objectContaining({ code: 'CLY_DIFF_METRICS' }));
    expect(() => metricDrift({ metrics: [revenue, revenue] }, { metrics: [] })).toThrow(
      expect.objectContaining({ code: 'CLY_DIFF_METRICS' }),
    );
  });
});

describe('a report', () => {
  const hostile = { ...CONTACTS, name: '<script>alert(1)</script>' };
  const bytes = encodeSnapshot(snapshot([CONTACTS]));
  const side = snapshotSide('<img src=x onerror=alert(1)>', snapshot([CONTACTS]), bytes);
  const report = diffReport(side, side, { drift: schemaDrift(snapshot([CONTACTS]), snapshot([hostile])) });

  it('is the same bytes for the same two states, and says whether they are equal', () => {
    const again = diffReport(side, side, { drift: schemaDrift(snapshot([CONTACTS]), snapshot([hostile])) });
    expect(encodeDiff(again)).toEqual(encodeDiff(report));
    expect(report.equal).toBe(false);
    expect(diffReport(side, side, {}).equal).toBe(true);
    expect(diffText(report)).toContain('- table');
  });

  it('is a page in which no name of a database becomes markup, and which loads nothing', () => {
    const page = diffPage(report);
    expect(page).not.toMatch(/<script|<img|src=x onerror=alert\(1\)>|https?:/);
    expect(page).toContain('&lt;script&gt;');
    expect(page).toContain("default-src 'none'");
  });
});
