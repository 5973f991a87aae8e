// SPDX-License-Identifier: Apache-2.0
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml';
import type { JsonValue } from '../canonical/json-value.ts';
import { type Finding, pointerTo } from './policy-cursor.ts';
import { PolicyError, type PolicyProblem, type SourcePlace } from './policy-problem.ts';

export const POLICY_BYTES_MAX = 1_048_576;
/** Aliases are expanded into this count: an alias bomb runs into it long before it fills the memory. */
const VALUES_MAX = 50_000;
const DEPTH_MAX = 64;

type Document = ReturnType<typeof parseDocument<ParsedNode>>;

/** A policy text as plain JSON values, with the place of every one of them. */
export class PolicySource {
  readonly value: JsonValue;
  readonly findings: Finding[] = [];
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #offsets = new Map<string, number>();
  #values = 0;

  /** Throws PolicyError for a text that is too large or no YAML. */
  constructor(text: string) {
    if (Buffer.byteLength(text) > POLICY_BYTES_MAX) {
      const message = `the policy is larger than ${POLICY_BYTES_MAX} bytes: move large schemas into a policy of their own`;
      throw new PolicyError([{ pointer: '', message, place: { line: 1, column: 1 } }]);
    }
    this.#lines = new LineCounter();
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: true,
    });
    const faults = [...this.#document.errors, ...this.#document.warnings];
    if (faults.length > 0) {
      throw new PolicyError(
        faults.map((fault) => ({ pointer: '', message: fault.message, place: this.#placeOf(fault.pos[0]) })),
      );
    }
    this.value = this.#convert(this.#document.contents, '', 1) ?? null;
  }

  problemOf(finding: Finding): PolicyProblem {
    let pointer = finding.pointer;
    while (pointer !== '' && !this.#offsets.has(pointer)) pointer = pointer.slice(0, pointer.lastIndexOf('/'));
    return { ...finding, place: this.#placeOf(this.#offsets.get(pointer) ?? 0) };
  }

  #placeOf(offset: number): SourcePlace {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #convert(node: Node | null, pointer: string, depth: number): JsonValue | undefined {
    this.#values += 1;
    if (this.#values > VALUES_MAX || depth > DEPTH_MAX) {
      throw new PolicyError([
        this.problemOf({ pointer, message: `the policy has over ${VALUES_MAX} values or is deeper than ${DEPTH_MAX}` }),
      ]);
    }
    if (node?.range !== undefined && node.range !== null && !this.#offsets.has(pointer)) {
      this.#offsets.set(pointer, node.range[0]);
    }
    if (node === null) return null;
    if (isAlias(node)) return this.#convert(node.resolve(this.#document) ?? null, pointer, depth + 1);
    if (isScalar(node)) return this.#scalar(node.value, pointer);
    if (isSeq(node)) {
      return node.items.map((item, index) => this.#convert(item as Node, pointerTo(pointer, index), depth + 1) ?? null);
    }
    if (!isMap(node)) return null;
    const object = Object.create(null) as Record<string, JsonValue>;
    for (const pair of node.items) {
      const key = pair.key as Node | null;
      if (!isScalar(key) || typeof key.value !== 'string') {
        this.findings.push({ pointer, message: 'a key is a text: put it into quotes' });
        continue;
      }
      const name = pointerTo(pointer, key.value);
      if (key.range !== undefined && key.range !== null) this.#offsets.set(name, key.range[0]);
      object[key.value] = this.#convert(pair.value as Node | null, name, depth + 1) ?? null;
    }
    return object;
  }

  #scalar(value: unknown, pointer: string): JsonValue {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) {
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        this.findings.push({ pointer, message: 'the integer is beyond ±(2^53−1)' });
      }
      return value;
    }
    this.findings.push({ pointer, message: 'write a text, a number, true, false or null' });
    return null;
  }
}
