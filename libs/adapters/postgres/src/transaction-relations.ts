// SPDX-License-Identifier: Apache-2.0
import type { OperationCounts, RelationChange, UnlistedChanges } from './committed-transaction.ts';
import { type RelationIdentity, RowsDigest } from './rows-digest.ts';
import type { HmacKey } from './running-hmac.ts';
import type { RelationName } from './sql-identifier.ts';

type RowOperation = 'insert' | 'update' | 'delete';

type Tally = {
  readonly schema: string;
  readonly name: string;
  readonly digest: RowsDigest;
  readonly counts: { -readonly [operation in keyof OperationCounts]: number };
  ddlCount: number;
};

/** Beyond these a transaction only says that there are more. */
const UNKNOWN_TYPES_MAX = 16;

/** The relations of one open transaction: counts and a running digest each, for at most `relationsMax` of them. */
export class TransactionRelations {
  readonly #rowsKey: HmacKey;
  readonly #relationsMax: number;
  /** Most transactions change one relation: tables are made where there is more to put into them. */
  #first: Tally | undefined;
  /** By name rather than oid: a relation dropped and made again under its name is the same one to a reader. */
  #others: Map<string, Tally> | undefined;
  #unlisted: Tally | undefined;
  #unknownTypes: Set<string> | undefined;
  /** Consecutive rows mostly belong to one relation. */
  #last: { readonly relation: RelationIdentity; readonly tally: Tally } | undefined;

  constructor(rowsKey: HmacKey, relationsMax: number) {
    this.#rowsKey = rowsKey;
    this.#relationsMax = relationsMax;
  }

  row(relation: RelationIdentity, operation: RowOperation, body: Uint8Array): void {
    const tally = this.#tally(relation);
    tally.counts[operation] += 1;
    tally.digest.row(relation, operation, body);
  }

  truncate(relation: RelationIdentity, options: { cascade: boolean; restartIdentity: boolean }): void {
    const tally = this.#tally(relation);
    tally.counts.truncate += 1;
    tally.digest.truncate(relation, options);
  }

  /** Announced by an event trigger: the relation itself may never be described in the stream. */
  ddl(relation: RelationName): void {
    this.#find(relation).ddlCount += 1;
  }

  /** undefined where every changed column has a type of PostgreSQL's own. */
  finishUnknownTypes(): readonly string[] | undefined {
    if (this.#unknownTypes === undefined) return undefined;
    const names = [...this.#unknownTypes].sort((left, right) => (left < right ? -1 : 1));
    return names.length <= UNKNOWN_TYPES_MAX ? names : [...names.slice(0, UNKNOWN_TYPES_MAX - 1), '*'];
  }

  finishListed(): readonly RelationChange[] {
    const first = this.#first;
    if (first === undefined) return [];
    if (this.#others === undefined) return [changeOf(first)];
    return [[qualifiedName(first), first] as const, ...this.#others]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, tally]) => changeOf(tally));
  }

  finishUnlisted(): UnlistedChanges | null {
    const tally = this.#unlisted;
    if (tally === undefined) return null;
    const ddl = tally.ddlCount === 0 ? {} : { ddlCount: tally.ddlCount };
    return { operations: tally.counts, rowsDigest: tally.digest.finish(), ...ddl };
  }

  #tally(relation: RelationIdentity): Tally {
    if (this.#last?.relation === relation) {
      return this.#last.tally;
    }
    const tally = this.#find(relation);
    this.#last = { relation, tally };
    if (relation.unknownTypes !== undefined) {
      this.#unknownTypes ??= new Set();
      for (const type of relation.unknownTypes) this.#unknownTypes.add(type);
    }
    return tally;
  }

  #find(relation: RelationName): Tally {
    const first = this.#first;
    if (first?.schema === relation.schema && first.name === relation.name) return first;
    const name = qualifiedName(relation);
    const known = this.#others?.get(name);
    if (known !== undefined) {
      return known;
    }
    const listedCount = (first === undefined ? 0 : 1) + (this.#others?.size ?? 0);
    if (listedCount >= this.#relationsMax) {
      this.#unlisted ??= newTally({ schema: '', name: '' }, this.#rowsKey);
      return this.#unlisted;
    }
    const tally = newTally(relation, this.#rowsKey);
    if (first === undefined) {
      this.#first = tally;
      return tally;
    }
    this.#others ??= new Map();
    this.#others.set(name, tally);
    return tally;
  }
}

/** PostgreSQL identifiers cannot hold a zero byte, so the joined name is unambiguous and sorts by schema first. */
function qualifiedName({ schema, name }: RelationName): string {
  return `${schema}\0${name}`;
}

function changeOf({ schema, name, counts, digest, ddlCount }: Tally): RelationChange {
  const change = { schema, name, operations: counts, rowsDigest: digest.finish() };
  return ddlCount === 0 ? change : { ...change, ddlCount };
}

function newTally(relation: { schema: string; name: string }, rowsKey: HmacKey): Tally {
  return {
    schema: relation.schema,
    name: relation.name,
    digest: new RowsDigest(rowsKey),
    counts: { insert: 0, update: 0, delete: 0, truncate: 0 },
    ddlCount: 0,
  };
}
