// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '../hash/sha256.ts';
import type { JournalLine, ReplacedLine } from '../journal/line.ts';
import { encodeCanonical } from '../json/encode.ts';
import { isObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import type { Failures } from '../report/failures.ts';
import { HOLDS, type Standing } from '../report/standing.ts';
import type { Disclosure } from './parse-disclosures.ts';

/** RFC 6901, below the root. */
const POINTER = /^(?:\/(?:[^~/]|~[01])*)+$/u;
const PREFIX = Buffer.from('clyra/commit/v0\n');

/** Holds disclosures against the commitments of the lines, which it sees in order (disclosure.md §4). */
export class DisclosureCheck {
  readonly #disclosures: readonly Disclosure[];
  readonly #failures: Failures;
  #next = 0;

  constructor(disclosures: readonly Disclosure[], failures: Failures) {
    this.#disclosures = disclosures;
    this.#failures = failures;
  }

  step(line: JournalLine | ReplacedLine): void {
    for (;;) {
      const disclosure = this.#disclosures[this.#next];
      if (disclosure === undefined || disclosure.leaf > line.leaf) {
        return;
      }
      this.#next += 1;
      this.#judge(disclosure, disclosure.leaf === line.leaf ? bodyOf(line, disclosure.part) : undefined);
    }
  }

  finish(): Standing {
    for (const disclosure of this.#disclosures.slice(this.#next)) {
      this.#judge(disclosure, undefined);
    }
    return HOLDS;
  }

  #judge(disclosure: Disclosure, body: JsonObject | undefined): void {
    if (body === undefined) {
      this.#fail('CLY_DISCLOSURE_LEAF', disclosure, 'names no body of a line of the bundle');
      return;
    }
    const commitment = commitmentAt(body, disclosure.pointer);
    if (commitment === null) {
      this.#fail('CLY_DISCLOSURE_POINTER', disclosure, 'names a place without a commitment');
    } else if (commitment !== commitmentTo(disclosure)) {
      this.#fail('CLY_DISCLOSURE_VALUE', disclosure, 'does not open the commitment');
    }
  }

  #fail(code: string, { leaf, part, pointer }: Disclosure, message: string): void {
    const subject = `the disclosure of leaf ${leaf}, ${part}${pointer}`;
    this.#failures.add({ claim: 'disclosure', code, message: `${subject} ${message}`, location: null });
  }
}

function bodyOf(line: JournalLine | ReplacedLine, part: Disclosure['part']): JsonObject | undefined {
  if (line.kind === 'decided' && part !== 'observation') {
    return line[part].value;
  }
  return line.kind === 'observed' && part === 'observation' ? line.observation.value : undefined;
}

/** H of prefix, salt, pointer, a zero byte and the value's canonical bytes (disclosure.md §2). */
function commitmentTo({ salt, pointer, value }: Disclosure): string {
  const end = Buffer.from(`${pointer}\u0000${encodeCanonical(value)}`);
  return sha256Hex(Buffer.concat([PREFIX, Buffer.from(salt, 'hex'), end]));
}

function commitmentAt(body: JsonObject, pointer: string): string | null {
  if (!POINTER.test(pointer)) {
    return null;
  }
  let value: JsonValue | undefined = body;
  for (const token of pointer.slice(1).split('/')) {
    value = childOf(value, token.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  const commitment = isObject(value) && Object.keys(value).length === 1 ? value.$commit : undefined;
  return typeof commitment === 'string' ? commitment : null;
}

function childOf(value: JsonValue | undefined, token: string): JsonValue | undefined {
  if (Array.isArray(value)) {
    return /^(?:0|[1-9][0-9]*)$/.test(token) ? value[Number(token)] : undefined;
  }
  return isObject(value) && Object.hasOwn(value, token) ? value[token] : undefined;
}
