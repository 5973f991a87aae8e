// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { type Committed, type Counts, relationText } from './committed.ts';

const LINE_FEED = 0x0a;
const TOKEN_PREFIX = 'clyra';
const DDL_PREFIX = 'clyra.ddl';

/**
 * Reads what pg_recvlogical wrote for the plugin pgoutput (protocol 1): each message followed by a line feed. Made from
 * the manual's chapter on message formats and apart from the recorder's own decoder, whose word is what is tested here.
 */
export function readPgoutput(bytes: Uint8Array): readonly Committed[] {
  const reader = new MessageReader(Buffer.from(bytes));
  while (!reader.atEnd) reader.message();
  return reader.transactions;
}

type Relation = 'inserts' | 'updates' | 'deletes' | 'truncates';

class MessageReader {
  readonly transactions: Committed[] = [];
  readonly #bytes: Buffer;
  #at = 0;
  readonly #names = new Map<number, string>();
  #xid = '';
  #counts = new Map<number, Counts>();
  #tokens = new Set<string>();
  #ddlCount = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  message(): void {
    const type = String.fromCharCode(this.#byte());
    const read = this.#readers[type];
    if (read === undefined) throw new Error(`message ${JSON.stringify(type)} at byte ${this.#at - 1} is unknown`);
    read();
    if (this.#byte() !== LINE_FEED) throw new Error(`message ${type} does not end at byte ${this.#at - 1}`);
  }

  readonly #readers: Readonly<Record<string, () => void>> = {
    B: () => {
      this.#skip(16);
      this.#xid = String(this.#uint32());
      this.#counts = new Map();
      this.#tokens = new Set();
      this.#ddlCount = 0;
    },
    C: () => {
      this.#skip(9);
      const commitEndLsn = this.#lsn();
      this.#skip(8);
      const relations = [...this.#counts].map(([id, counts]) => relationText(this.#names.get(id) ?? '?', counts));
      const tokenHashes = [...this.#tokens].sort();
      const ddlCount = this.#ddlCount;
      this.transactions.push({ xid: this.#xid, commitEndLsn, relations: relations.sort(), tokenHashes, ddlCount });
    },
    R: () => {
      const id = this.#uint32();
      this.#names.set(id, `${this.#text()}.${this.#text()}`);
      this.#skip(1);
      for (let left = this.#uint16(); left > 0; left -= 1) {
        this.#skip(1);
        this.#text();
        this.#skip(8);
      }
    },
    M: () => {
      this.#skip(9);
      const prefix = this.#text();
      const content = this.#take(this.#uint32());
      if (prefix === TOKEN_PREFIX) this.#tokens.add(digestOf(content));
      if (prefix === DDL_PREFIX) this.#ddlCount += 1;
    },
    I: () => {
      this.#count(this.#uint32(), 'inserts');
      this.#skip(1);
      this.#tuple();
    },
    U: () => {
      this.#count(this.#uint32(), 'updates');
      while (String.fromCharCode(this.#byte()) !== 'N') this.#tuple();
      this.#tuple();
    },
    D: () => {
      this.#count(this.#uint32(), 'deletes');
      this.#skip(1);
      this.#tuple();
    },
    T: () => {
      const count = this.#uint32();
      this.#skip(1);
      for (let left = count; left > 0; left -= 1) this.#count(this.#uint32(), 'truncates');
    },
    Y: () => {
      this.#skip(4);
      this.#text();
      this.#text();
    },
  };

  #count(relation: number, operation: Relation): void {
    const counts = this.#counts.get(relation) ?? { inserts: 0, updates: 0, deletes: 0, truncates: 0 };
    counts[operation] += 1;
    this.#counts.set(relation, counts);
  }

  #tuple(): void {
    for (let left = this.#uint16(); left > 0; left -= 1) {
      const kind = String.fromCharCode(this.#byte());
      if (kind === 't' || kind === 'b') this.#skip(this.#uint32());
    }
  }

  #byte(): number {
    this.#at += 1;
    return this.#bytes.readUInt8(this.#at - 1);
  }

  #uint16(): number {
    this.#at += 2;
    return this.#bytes.readUInt16BE(this.#at - 2);
  }

  #uint32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  #lsn(): string {
    const [high, low] = [this.#uint32(), this.#uint32()];
    return `${high.toString(16)}/${low.toString(16)}`.toUpperCase();
  }

  #text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  #take(length: number): Buffer {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #skip(length: number): void {
    this.#at += length;
  }
}
