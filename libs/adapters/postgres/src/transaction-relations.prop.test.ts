// SPDX-License-Identifier: Apache-2.0
import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type RelationIdentity, relationIdentity, rowsKey } from './rows-digest.ts';
import { TransactionRelations } from './transaction-relations.ts';

const KEY = rowsKey(createSecretKey(Buffer.alloc(32, 1)));
/** Schemas sort before names, and a name may begin where another one's schema ends. */
const NAMES = [
  ['b', 'a'],
  ['a', 'b'],
  ['a', 'a'],
  ['ab', ''],
  ['a!', 'z'],
] as const;
const RELATIONS: readonly RelationIdentity[] = NAMES.map(([schema, name], index) => {
  const columns = [{ name: 'v', typeOid: index % 2 }];
  return relationIdentity({ schema, name, columns }, new Map([[1, 'public.mood']]));
});
const relation = fc.constantFrom(...RELATIONS);
const operation = fc.constantFrom('insert', 'update', 'delete', 'truncate', 'ddl');
const steps = fc.array(fc.record({ relation, operation }), { maxLength: 30 });

type Steps = readonly { readonly relation: RelationIdentity; readonly operation: string }[];

function countsOf(of: Steps) {
  const count = (wanted: string) => of.filter((step) => step.operation === wanted).length;
  const [insert, update, deleted, truncate] = [count('insert'), count('update'), count('delete'), count('truncate')];
  const ddlCount = count('ddl');
  const operations = { insert, update, delete: deleted, truncate };
  return { operations, rowsDigest: expect.any(String), ...(ddlCount === 0 ? {} : { ddlCount }) };
}

describe('the relations of a transaction', () => {
  it('are listed by name up to the limit, first come first, and all others together', () => {
    fc.assert(
      fc.property(steps, fc.nat(6), (all, relationsMax) => {
        const relations = new TransactionRelations(KEY, relationsMax);
        for (const step of all) {
          if (step.operation === 'ddl') relations.ddl(step.relation);
          else if (step.operation === 'truncate') {
            relations.truncate(step.relation, { cascade: false, restartIdentity: false });
          } else relations.row(step.relation, step.operation as 'insert', Buffer.from('N'));
        }
        const seen = [...new Set(all.map((step) => step.relation))];
        const listed = seen.slice(0, relationsMax);
        const rest = all.filter((step) => !listed.includes(step.relation));
        const inOrder = listed.toSorted((one, other) => {
          if (one.schema !== other.schema) return one.schema < other.schema ? -1 : 1;
          return one.name < other.name ? -1 : 1;
        });
        expect(relations.finishListed()).toEqual(
          inOrder.map((one) => {
            const { schema, name } = one;
            return { schema, name, ...countsOf(all.filter((step) => step.relation === one)) };
          }),
        );
        expect(relations.finishUnlisted()).toEqual(rest.length === 0 ? null : countsOf(rest));
        const changed = all.some((step) => step.operation !== 'ddl' && step.relation.unknownTypes !== undefined);
        expect(relations.finishUnknownTypes()).toEqual(changed ? ['public.mood'] : undefined);
      }),
      { numRuns: 500 },
    );
  });
});
