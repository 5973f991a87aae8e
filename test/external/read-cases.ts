// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

const FOLDER = new URL('../../schemas/vectors/external/', import.meta.url);

/** The text of a file of schemas/vectors/external. */
export function readExternal(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

/** The cases of a suite: one JSON value a line. */
export function readCases<T>(name: string): readonly T[] {
  const lines = readExternal(name).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as T);
}

/** Said in the output of the gate, so that a suite that shrinks is seen. */
export function printCount(suite: string, counts: Readonly<Record<string, number>>): void {
  const text = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  process.stdout.write(`external suite ${suite}: ${text.join(', ')}\n`);
}
