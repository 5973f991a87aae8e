// SPDX-License-Identifier: Apache-2.0
import type { CommittedTransaction } from '@clyra/adapter-postgres/committed-transaction';
import { formatLsn } from '@clyra/adapter-postgres/lsn';
import { digestOf } from '@clyra/core/canonical/digest';
import { encodeRecord } from '@clyra/core/canonical/record';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { observationIdOf } from './observation-draft.ts';
import { transactionDraft } from './transaction-body.ts';

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const count = fc.maxSafeNat();
const digest = fc.nat().map((seed) => digestOf(String(seed)));
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 80 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 63 }),
  fc.string({ unit: fc.constantFrom('"', '\\', '\u2028', '\u007f', '\u{1f600}', '\ufdd0', 'x'), maxLength: 71 }),
);
const operations = fc.record({ insert: count, update: count, delete: count, truncate: count });
const unlisted = fc.record(
  { operations, rowsDigest: digest, ddlCount: count },
  { requiredKeys: ['operations', 'rowsDigest'] },
);
const relation = fc
  .tuple(name, name, unlisted)
  .map(([schema, relationName, changes]) => ({ schema, name: relationName, ...changes }));
const transaction: fc.Arbitrary<CommittedTransaction> = fc.record({
  systemId: fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String), fc.string()),
  timeline: uint32,
  commitEndLsn: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(formatLsn),
  commitLsn: fc.constant('0/1'),
  xid: uint32,
  commitTimeMs: fc.oneof(count, fc.integer({ min: -(2 ** 40), max: 0 }), fc.constantFrom(2 ** 53, -(2 ** 60))),
  origin: fc.constant(null),
  relations: fc.array(relation, { maxLength: 4 }),
  unlisted: fc.option(unlisted),
  messages: fc.constant([]),
  messageCounts: fc.record({ clyra: uint32, executionToken: uint32, other: uint32 }),
  executionTokenHashes: fc.array(digest, { maxLength: 4 }),
});
const owner = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', 'a\udfffb', '\ufffe'));
const identity = fc.record({ tenant: owner, sourceId: owner });

const entryOf = (schema: string, relationName: string, changes: NonNullable<CommittedTransaction['unlisted']>) => ({
  schema,
  name: relationName,
  inserts: changes.operations.insert,
  updates: changes.operations.update,
  deletes: changes.operations.delete,
  truncates: changes.operations.truncate,
  rows_digest: changes.rowsDigest,
  ...(changes.ddlCount === undefined ? {} : { ddl: changes.ddlCount }),
});

/** As docs/spec/records.md §6 has it, without asking first whether there is anything to spell. */
function spelled(text: string): string {
  const isLong = Buffer.byteLength(JSON.stringify(text)) - 2 > 71;
  const isPlain = /^[\u0020-\u007e\u0080-\ufdcf\ufdf0-\ufffd]*$/u.test(text);
  return isLong || !isPlain ? `sha256:${digestOf(text)}` : text;
}

/** What came of it: the bytes as text, or the code of the refusal. */
function outcomeOf(make: () => Uint8Array): string {
  try {
    return Buffer.from(make()).toString('utf8');
  } catch (error) {
    return String(Reflect.get(error as object, 'code'));
  }
}

describe('the text of a transaction', () => {
  it('is what the writer of records makes of its members', () => {
    fc.assert(
      fc.property(identity, transaction, ({ tenant, sourceId }, made) => {
        const { systemId, timeline, commitEndLsn, commitTimeMs, xid, messageCounts, relations } = made;
        const entries = relations.map((one) => entryOf(spelled(one.schema), spelled(one.name), one));
        const observationId = observationIdOf({ systemId, timeline, lsn: commitEndLsn, ordinal: 0 });
        const members = {
          v: 0,
          kind: 'transaction',
          tenant,
          source_id: sourceId,
          observation_id: observationId,
          system_id: systemId,
          timeline,
          commit_end_lsn: commitEndLsn,
          committed_at: commitTimeMs,
          xid,
          messages: messageCounts.clyra + messageCounts.other,
          token_hashes: [...made.executionTokenHashes],
          relations: made.unlisted === null ? entries : [...entries, entryOf('*', '*', made.unlisted)],
        };
        const written = outcomeOf(() => transactionDraft({ tenant, sourceId }, made).bytes);
        expect(written).toBe(outcomeOf(() => encodeRecord(members)));
      }),
      { numRuns: 500 },
    );
  });
});
