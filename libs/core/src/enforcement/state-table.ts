// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject } from '../canonical/json-value.ts';
import { parseRecord } from '../canonical/record.ts';
import { shapeError } from '../change/shape.ts';
import { bucketNameOf, StateBuckets, type StateEntry } from './state-buckets.ts';
import { EXPIRING, StateExpiry } from './state-expiry.ts';
import type { StateImage } from './state-image.ts';

/** What a decision may see of a tenant's state. Keys are `<namespace>/<id>`; values are records, never changed in place. */
export interface StateView {
  get(key: string): JsonObject | undefined;
  /** How many keys a namespace has: its bound is checked before anything is added. */
  count(namespace: string): number;
  entries(namespace: string): Iterable<readonly [key: string, value: JsonObject]>;
  /** What may be forgotten from this time on, and perhaps some that may be soon; at a cost in proportion to that. */
  dueBy(nowMs: number): Iterable<readonly [key: string, value: JsonObject]>;
}

export type StateOp =
  | { readonly op: 'put'; readonly key: string; readonly value: JsonObject }
  | { readonly op: 'delete'; readonly key: string };

type Namespace = { readonly name: string; readonly entries: Map<string, StateEntry>; readonly isExpiring: boolean };

const RECENT_LENGTH_MAX = 32;

/** A tenant's state, with a digest that costs what was written since the last one (docs/spec/records.md §2). */
export class StateTable implements StateView {
  readonly #namespaces = new Map<string, Namespace>();
  /** By the length of a name and its first letter, the one that was asked for last. */
  readonly #recent: (Namespace | undefined)[] = [];
  readonly #buckets = new StateBuckets();
  readonly #expiry = new StateExpiry();

  get(key: string): JsonObject | undefined {
    return this.#namespaceOf(key)?.entries.get(key)?.value;
  }

  count(namespace: string): number {
    return this.#namespaces.get(namespace)?.entries.size ?? 0;
  }

  *entries(namespace: string): Iterable<readonly [string, JsonObject]> {
    for (const [key, entry] of this.#namespaces.get(namespace)?.entries ?? []) yield [key, entry.value];
  }

  *dueBy(nowMs: number): Iterable<readonly [string, JsonObject]> {
    for (const key of this.#expiry.dueBy(nowMs)) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  namespaces(): readonly string[] {
    return [...this.#namespaces.keys()];
  }

  apply(ops: readonly StateOp[]): void {
    for (const op of ops) {
      if (op.op === 'put') this.#put(op.key, op.value);
      else this.#delete(op.key);
    }
  }

  #put(key: string, value: JsonObject): void {
    const { entries, isExpiring } = this.#namespaceOf(key) ?? this.#newNamespace(namespaceOf(key));
    const known = entries.get(key);
    if (known === undefined) {
      if (isExpiring) this.#expiry.add(key, value);
      entries.set(key, this.#buckets.add(key, value));
    } else {
      if (isExpiring) this.#expiry.replace(key, known.value, value);
      this.#buckets.replace(known, value);
    }
  }

  /** Each decision asks for a dozen keys: what stands before the slash is compared, not cut out. */
  #namespaceOf(key: string): Namespace | undefined {
    const length = key.indexOf('/');
    const place = (length << 7) | (key.charCodeAt(0) & 0x7f);
    const recent = this.#recent[place];
    if (recent !== undefined && key.startsWith(recent.name) && recent.name.length === length) return recent;
    const namespace = this.#namespaces.get(namespaceOf(key));
    if (namespace !== undefined && length > 0 && length < RECENT_LENGTH_MAX) this.#recent[place] = namespace;
    return namespace;
  }

  #newNamespace(name: string): Namespace {
    const namespace = { name, entries: new Map(), isExpiring: EXPIRING.has(name) };
    this.#namespaces.set(name, namespace);
    return namespace;
  }

  #delete(key: string): void {
    const namespace = this.#namespaceOf(key);
    const entry = namespace?.entries.get(key);
    if (namespace === undefined || entry === undefined) return;
    namespace.entries.delete(key);
    if (namespace.isExpiring) this.#expiry.remove(key, entry.value);
    this.#buckets.remove(entry);
  }

  digest(): Digest {
    return this.#buckets.digest();
  }

  /** Does a part of what the next digest needs, for at most so many entries, and says whether that was all; nothing that can be seen depends on it. */
  refresh(entryCountMax: number): boolean {
    return this.#buckets.refresh(entryCountMax);
  }

  /** The lines of the state artifact as of now, each with its LF: what is written later does not change them. */
  image(): StateImage {
    return this.#buckets.image();
  }

  /** The state artifact. */
  serialize(): Uint8Array {
    return Buffer.from([...this.image()].flat().join(''), 'utf8');
  }

  /**
   * Reads a state artifact; the caller compares its digest with the one a receipt committed to. Throws JsonError or
   * CLY_RECORD_SHAPE for bytes that are none: a damaged file must not stop a start.
   */
  static parse(bytes: Uint8Array): StateTable {
    const table = new StateTable();
    for (const { key, value } of stateLines(bytes)) table.#put(key, value);
    return table;
  }
}

/** A line holds one entry; the largest is a velocity window of 100,000 times. */
const STATE_LINE_BYTES_MAX = 2_097_152;
const LF = 0x0a;

export type StateLine = {
  readonly key: string;
  readonly bucket: number;
  readonly value: JsonObject;
  readonly bytes: Uint8Array;
};

/** The lines of a state artifact (docs/spec/records.md §2), each with its LF. Throws JsonError or CLY_RECORD_SHAPE. */
export function* stateLines(artifact: Uint8Array): Iterable<StateLine> {
  let previous = { bucket: 0, key: '' };
  for (let start = 0; start < artifact.length; ) {
    const end = artifact.indexOf(LF, start);
    if (end < 0) throw shapeError('a state artifact ends with a line feed');
    const { key, value } = parseRecord(artifact.subarray(start, end), STATE_LINE_BYTES_MAX);
    if (typeof key !== 'string') throw shapeError('the key of a state artifact is a text');
    const bucket = bucketNameOf(key);
    const rises = bucket > previous.bucket || (bucket === previous.bucket && key > previous.key);
    if (!rises) throw shapeError('the buckets of a state artifact rise, and in each of them the keys');
    if (!isJsonObject(value)) throw shapeError('the value of a state artifact is an object');
    yield { key, bucket, value, bytes: artifact.subarray(start, end + 1) };
    previous = { bucket, key };
    start = end + 1;
  }
}

export function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
