// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { fromRecord, type RegistryEvent, toRecord } from './registry-records.ts';

const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString());

/** Bytes as another registry writes and reads them; compaction depends on equal keys. */
const FORMAT: readonly (readonly [RegistryEvent, string, string | null])[] = [
  [
    { kind: 'schema', version: { subject: 's', version: 2, id: 7, schema: '"string"', deleted: false } },
    '{"keytype":"SCHEMA","subject":"s","version":2,"magic":1}',
    '{"subject":"s","version":2,"id":7,"schema":"\\"string\\"","deleted":false}',
  ],
  [
    { kind: 'schema-removed', subject: 's', version: 2 },
    '{"keytype":"SCHEMA","subject":"s","version":2,"magic":1}',
    null,
  ],
  [
    { kind: 'subject-deleted', subject: 's', upToVersion: 3 },
    '{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}',
    '{"subject":"s","version":3}',
  ],
  [
    { kind: 'config', subject: null, level: 'FULL' },
    '{"keytype":"CONFIG","subject":null,"magic":0}',
    '{"compatibilityLevel":"FULL"}',
  ],
  [
    { kind: 'mode', subject: 's', mode: 'READONLY' },
    '{"keytype":"MODE","subject":"s","magic":0}',
    '{"mode":"READONLY"}',
  ],
  [{ kind: 'nothing' }, '{"keytype":"NOOP","magic":0}', null],
];

describe('registry records', () => {
  it.each(FORMAT)('%j', (event, key, value) => {
    const record = toRecord(event);
    expect(textOf(record.key)).toBe(key);
    expect(textOf(record.value)).toBe(value);
    expect(fromRecord({ ...record, offset: 0 })).toEqual(event);
  });

  it('reads past kinds of newer registries, and refuses what is no registry record', () => {
    expect(fromRecord({ key: Buffer.from('{"keytype":"CONTEXT","magic":0}'), value: null, offset: 0 })).toEqual({
      kind: 'nothing',
    });
    const broken = { key: Buffer.from('{"keytype":"SCHEMA"}'), value: Buffer.from('{}'), offset: 4 };
    expect(() => fromRecord(broken)).toThrow(
      expect.objectContaining({ code: 'CLY_REGISTRY_RECORD', context: { offset: 4 } }),
    );
  });
});
