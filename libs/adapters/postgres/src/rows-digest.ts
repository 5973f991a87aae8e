// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { HmacKey, type RunningHmac } from './running-hmac.ts';

/** What a relation is called, and the names of its columns in their order: what a digest binds its rows to. */
export type RelationIdentity = {
  readonly schema: string;
  readonly name: string;
  /** The `R` frame of `RowsDigest`, made once per relation message. */
  readonly frame: Uint8Array;
  /** Types of its columns that are not PostgreSQL's own, as `schema.name`; absent where none. */
  readonly unknownTypes?: readonly string[];
};

const DOMAIN = Buffer.from('clyra.rows.v1\0', 'utf8');
const RELATION_MARKER = Buffer.from('R', 'latin1');
const OPERATION_BYTES = { insert: byteOf('I'), update: byteOf('U'), delete: byteOf('D') } as const;
const TRUNCATE_MARKER = byteOf('T');

/**
 * A keyed digest over the changed rows of one relation in one transaction, in commit order and in constant
 * memory: HMAC-SHA256 over
 *
 *     "clyra.rows.v1" 0x00, then frames
 *     relation := 'R' text(schema) text(name) u16(columns) text(column name)...
 *     insert   := 'I' 'N' tuple
 *     update   := 'U' [('K' | 'O') tuple] 'N' tuple
 *     delete   := 'D' ('K' | 'O') tuple
 *     truncate := 'T' u8(1 = cascade, 2 = restart identity)
 *     tuple    := u16(columns) column...
 *     column   := 'n' (null) | 'u' (unchanged TOAST) | ('t' | 'b') u32(size) bytes
 *     text     := u32(size) UTF-8 bytes
 *
 * with big-endian numbers. A relation frame comes before the first change and again wherever the following change
 * belongs to another relation identity than the one before it (a column renamed within the transaction; the shared
 * digest of relations beyond the limit). Every frame says its own size, so no two histories share a byte string.
 * Oids are left out, because a restored database has others; type oids for the same reason.
 */
export class RowsDigest {
  readonly #hmac: RunningHmac;
  #relation: RelationIdentity | undefined;

  /** `key` is one of `rowsKey`. */
  constructor(key: HmacKey) {
    this.#hmac = key.begin();
  }

  /** `body` is the body of a checked row message. */
  row(relation: RelationIdentity, operation: keyof typeof OPERATION_BYTES, body: Uint8Array): void {
    this.#enter(relation);
    this.#hmac.updateByte(OPERATION_BYTES[operation]);
    this.#hmac.update(body);
  }

  truncate(relation: RelationIdentity, options: { cascade: boolean; restartIdentity: boolean }): void {
    this.#enter(relation);
    const flags = Number(options.cascade) | (Number(options.restartIdentity) << 1);
    this.#hmac.updateByte(TRUNCATE_MARKER);
    this.#hmac.updateByte(flags);
  }

  /** Lower-case hex; the digest takes nothing more afterwards. */
  finish(): string {
    return this.#hmac.finish();
  }

  #enter(relation: RelationIdentity): void {
    if (relation === this.#relation) {
      return;
    }
    // A server may describe an unchanged relation again, and does so at other places after a reconnect. Only a
    // description with other bytes is part of the history.
    if (this.#relation === undefined || Buffer.compare(this.#relation.frame, relation.frame) !== 0) {
      this.#hmac.update(relation.frame);
    }
    this.#relation = relation;
  }
}

/** The key of a source's digests, for all of its relations and transactions. */
export function rowsKey(digestKey: KeyObject): HmacKey {
  return new HmacKey(digestKey, DOMAIN);
}

/** `typeNames`: what the server called the types that are not its own, by oid. */
export function relationIdentity(
  relation: {
    readonly schema: string;
    readonly name: string;
    readonly columns: readonly { readonly name: string; readonly typeOid: number }[];
  },
  typeNames: ReadonlyMap<number, string>,
): RelationIdentity {
  const columnCount = Buffer.alloc(2);
  columnCount.writeUInt16BE(relation.columns.length);
  const frame = Buffer.concat([
    RELATION_MARKER,
    framedText(relation.schema),
    framedText(relation.name),
    columnCount,
    ...relation.columns.map((column) => framedText(column.name)),
  ]);
  const { schema, name } = relation;
  const unknownTypes = relation.columns.flatMap(({ typeOid }) => typeNames.get(typeOid) ?? []);
  return unknownTypes.length === 0 ? { schema, name, frame } : { schema, name, frame, unknownTypes };
}

function framedText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

function byteOf(character: string): number {
  return character.charCodeAt(0);
}
