// SPDX-License-Identifier: Apache-2.0
import type { CommittedTransaction } from '@clyra/adapter-postgres/committed-transaction';
import { digestOf } from '@clyra/core/canonical/digest';
import { RECORD_BYTES_MAX } from '@clyra/core/canonical/record';
import { parseObservation, type TransactionBody } from '@clyra/core/evidence/observation-body';
import { describe, expect, it } from '@jest/globals';
import { BODY_LIMITS, transactionDraft } from './transaction-body.ts';

const IDENTITY = { tenant: 'a'.repeat(63), sourceId: `s${'x'.repeat(127)}` };
const COUNT = Number.MAX_SAFE_INTEGER;
const COUNTS = { insert: COUNT, update: COUNT, delete: COUNT, truncate: COUNT };
const DIGEST = digestOf('rows');

function transaction(overrides: Partial<CommittedTransaction>): CommittedTransaction {
  return {
    systemId: '18446744073709551615',
    timeline: 4_294_967_295,
    commitEndLsn: 'FFFFFFFF/FFFFFFFF',
    commitLsn: 'FFFFFFFF/FFFFFFF0',
    xid: 4_294_967_295,
    commitTimeMs: COUNT,
    origin: null,
    relations: [],
    unlisted: null,
    messages: [],
    messageCounts: { clyra: 1, executionToken: 1, other: 2 },
    executionTokenHashes: [],
    ...overrides,
  };
}

function bodyOf(made: CommittedTransaction): { bytes: Uint8Array; body: TransactionBody } {
  const { bytes } = transactionDraft(IDENTITY, made);
  return { bytes, body: parseObservation(bytes) as TransactionBody };
}

describe('a transaction as a record', () => {
  // Quotation marks take two bytes each in JSON, letters beyond ASCII share the 63 bytes of a name.
  it.each(['"'.repeat(63), '\\'.repeat(63), 'x'.repeat(63), '\u0001'.repeat(63), '\ufffe'.repeat(21), '\u{1f600}'])(
    'fits at its largest, whatever the relations are called (%#)',
    (name) => {
      const relations = Array.from({ length: BODY_LIMITS.relationsMax ?? 0 }, () => {
        return { schema: name, name, operations: COUNTS, rowsDigest: DIGEST, ddlCount: COUNT };
      });
      const executionTokenHashes = Array.from({ length: BODY_LIMITS.messagesMax ?? 0 }, () => DIGEST);
      const unlisted = { operations: COUNTS, rowsDigest: DIGEST, ddlCount: COUNT };
      const tags = Array.from({ length: 16 }, () => ({ tag: 'X'.repeat(63), count: COUNT }));
      const ddl = { count: COUNT, digest: DIGEST, tags };
      const unknownTypes = Array.from({ length: 16 }, () => `${name}.${name}`);
      const { bytes, body } = bodyOf(transaction({ relations, executionTokenHashes, unlisted, ddl, unknownTypes }));
      expect(bytes.length).toBeLessThanOrEqual(RECORD_BYTES_MAX);
      expect(body.relations).toHaveLength(relations.length + 1);
      expect(body.token_hashes).toHaveLength(64);
    },
  );

  it('names what it does not list by an entry that no policy can grant', () => {
    const unlisted = { operations: { insert: 7, update: 0, delete: 0, truncate: 0 }, rowsDigest: DIGEST };
    const { body } = bodyOf(transaction({ unlisted }));
    expect(body.relations).toEqual([
      { schema: '*', name: '*', inserts: 7, updates: 0, deletes: 0, truncates: 0, rows_digest: DIGEST },
    ]);
  });

  it('is the same bytes when it is read again, and hashes a name that a record cannot hold', () => {
    const relations = [{ schema: 'public', name: 'a\tb', operations: COUNTS, rowsDigest: DIGEST }];
    const first = bodyOf(transaction({ relations }));
    expect(bodyOf(transaction({ relations })).bytes).toEqual(first.bytes);
    expect(first.body.relations[0]).toMatchObject({ schema: 'public', name: `sha256:${digestOf('a\tb')}` });
  });
});
