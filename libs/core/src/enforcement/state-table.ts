// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { type Digest, digestBytes, digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject } from '../canonical/json-value.ts';
import { parseRecord } from '../canonical/record.ts';
import { shapeError } from '../change/shape.ts';

/** What a decision may see of a tenant's state. Keys are `<namespace>/<id>`; values are records, never changed in place. */
export interface StateView {
  get(key: string): JsonObject | undefined;
  /** How many keys a namespace has: its bound is checked before anything is added. */
  count(namespace: string): number;
  entries(namespace: string): Iterable<readonly [key: string, value: JsonObject]>;
}

export type StateOp =
  | { readonly op: 'put'; readonly key: string; readonly value: JsonObject }
  | { readonly op: 'delete'; readonly key: string };

type Entry = { value: JsonObject; line: string | undefined; readonly bucket: number };

const BUCKET_COUNT = 256;
const EMPTY_BUCKET = digestOf('');

/**
 * A tenant's state with a digest that costs only what changed (docs/spec/records.md §2): a cut rehashes the buckets
 * touched since the last one, and only entries written since then are made canonical again.
 */
export class StateTable implements StateView {
  readonly #namespaces = new Map<string, Map<string, Entry>>();
  readonly #buckets: Map<string, Entry>[] = Array.from({ length: BUCKET_COUNT }, () => new Map());
  readonly #bucketDigests: Digest[] = new Array<Digest>(BUCKET_COUNT).fill(EMPTY_BUCKET);
  readonly #dirty = new Set<number>();

  get(key: string): JsonObject | undefined {
    return this.#namespaces.get(namespaceOf(key))?.get(key)?.value;
  }

  count(namespace: string): number {
    return this.#namespaces.get(namespace)?.size ?? 0;
  }

  *entries(namespace: string): Iterable<readonly [string, JsonObject]> {
    for (const [key, entry] of this.#namespaces.get(namespace) ?? []) yield [key, entry.value];
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
    const name = namespaceOf(key);
    let namespace = this.#namespaces.get(name);
    if (namespace === undefined) {
      namespace = new Map();
      this.#namespaces.set(name, namespace);
    }
    const known = namespace.get(key);
    if (known !== undefined) {
      known.value = value;
      known.line = undefined;
      this.#dirty.add(known.bucket);
      return;
    }
    const entry: Entry = { value, line: undefined, bucket: bucketOf(key) };
    namespace.set(key, entry);
    this.#buckets[entry.bucket]?.set(key, entry);
    this.#dirty.add(entry.bucket);
  }

  #delete(key: string): void {
    const namespace = this.#namespaces.get(namespaceOf(key));
    const entry = namespace?.get(key);
    if (namespace === undefined || entry === undefined) return;
    namespace.delete(key);
    this.#buckets[entry.bucket]?.delete(key);
    this.#dirty.add(entry.bucket);
  }

  digest(): Digest {
    for (const bucket of this.#dirty) this.#bucketDigests[bucket] = this.#digestBucket(bucket);
    this.#dirty.clear();
    return digestOf(Buffer.concat(this.#bucketDigests.map(digestBytes)));
  }

  #digestBucket(bucket: number): Digest {
    const entries = this.#buckets[bucket] as Map<string, Entry>;
    let text = '';
    for (const key of [...entries.keys()].sort()) text += lineOf(key, entries.get(key) as Entry);
    return digestOf(text);
  }

  /** The state artifact: every line in ascending key order. */
  serialize(): Uint8Array {
    const lines: { key: string; entry: Entry }[] = [];
    for (const bucket of this.#buckets) for (const [key, entry] of bucket) lines.push({ key, entry });
    lines.sort((a, b) => (a.key < b.key ? -1 : 1));
    return Buffer.from(lines.map(({ key, entry }) => lineOf(key, entry)).join(''), 'utf8');
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

export type StateLine = { readonly key: string; readonly value: JsonObject; readonly bytes: Uint8Array };

/** The lines of a state artifact (docs/spec/records.md §2), each with its LF. Throws JsonError or CLY_RECORD_SHAPE. */
export function* stateLines(artifact: Uint8Array): Iterable<StateLine> {
  let previous = '';
  for (let start = 0; start < artifact.length; ) {
    const end = artifact.indexOf(LF, start);
    if (end < 0) throw shapeError('a state artifact ends with a line feed');
    const { key, value } = parseRecord(artifact.subarray(start, end), STATE_LINE_BYTES_MAX);
    if (typeof key !== 'string' || key <= previous) throw shapeError('the keys of a state artifact rise');
    if (!isJsonObject(value)) throw shapeError('the value of a state artifact is an object');
    yield { key, value, bytes: artifact.subarray(start, end + 1) };
    previous = key;
    start = end + 1;
  }
}

function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

function bucketOf(key: string): number {
  return Number.parseInt(digestOf(key).slice(0, 2), 16);
}

function lineOf(key: string, entry: Entry): string {
  entry.line ??= `${canonicalJson({ key, value: entry.value })}\n`;
  return entry.line;
}
