// SPDX-License-Identifier: Apache-2.0
import type { Step } from '@clyra/cli/conformance/suite';
import { type Edits, makeKeys } from '@clyra/verifier/testing/log-builder';
import { canonical, type Loose } from '@clyra/verifier/testing/primitives';
import type { BuiltBundle } from '@clyra/verifier/testing/seal';
import { buildPair, buildStandard } from '@clyra/verifier/testing/standard-bundle';

/** What a verifier must say: exit code, one claim with its status and code. */
export interface Wanted {
  readonly exit: number;
  readonly claim?: string;
  readonly code?: string;
}

export interface ConformanceCase {
  readonly name: string;
  readonly why: string;
  /** What a verifier that passes this case has not shown by it. */
  readonly notProved: string;
  readonly wanted: Wanted;
  readonly files: ReadonlyMap<string, Buffer>;
  /** Written as it stands, where the files alone do not make the archive. */
  readonly tar?: Buffer;
  readonly steps?: readonly Step[];
  /** Null: none is passed. Absent: the shared one. */
  readonly trustRoot?: Buffer | null;
  readonly policy?: readonly string[] | null;
  readonly previous?: Buffer;
  readonly disclosures?: string;
  readonly mode?: 'head' | 'full';
}

/** What the shared policy asks for: all that a bundle can show without anybody from outside. */
export const BASIC = ['integrity', 'order', 'completeness', 'authorship', 'policy', 'reconciliation', 'coverage'];

export function policyText(require: readonly string[]): string {
  return canonical({ format: 'clyra/verification-policy/v0', name: 'conformance', require });
}

export const BASE: ReturnType<typeof buildStandard> = buildStandard();
export const KEYS = makeKeys();
export const PAIR = buildPair();

type About = readonly [
  name: string,
  wanted: readonly [exit: number, claim?: string, code?: string],
  why: string,
  notProved: string,
];
export type Rest = Partial<Omit<ConformanceCase, 'name' | 'why' | 'notProved' | 'wanted' | 'files'>> & {
  readonly bundle?: BuiltBundle;
  /** Bends the files after all was sealed. */
  readonly bend?: (files: Map<string, Buffer>) => void;
};

/** What most cases say first: name, what is wanted, and why. */
export type CaseHead = readonly [
  name: string,
  wanted: readonly [exit: number, claim?: string, code?: string],
  why: string,
];

/** A case over a bundle; its own trust root goes along when it is not the shared one. */
export function makeCase([name, [exit, claim, code], why, notProved]: About, rest: Rest = {}): ConformanceCase {
  const { bundle = BASE, bend, ...others } = rest;
  const files = new Map(bundle.files);
  bend?.(files);
  const own = bundle.trustRoot.equals(BASE.trustRoot) ? {} : { trustRoot: bundle.trustRoot };
  const wanted = { exit, ...(claim === undefined ? {} : { claim }), ...(code === undefined ? {} : { code }) };
  return { name, why, notProved, wanted, files, ...own, ...others };
}

export function edited(edits: Edits): BuiltBundle {
  return buildStandard({ edits });
}

export function editedSecond(edits: Edits): BuiltBundle {
  return buildPair({ edits }).second;
}

/** Bends the value at one index. */
export function at(index: number, bend: (value: Loose) => void): (value: Loose, where: number) => void {
  return (value, where) => {
    if (where === index) {
      bend(value);
    }
  };
}

/** Bends the text of a line before the tree is built. */
export function raw(index: number, bend: (line: string) => string): Edits {
  return {
    rawLines: (lines) => {
      lines[index] = bend(lines[index] as string);
    },
  };
}

/** Bends the lines of the journal after all was sealed. */
export function journal(bend: (lines: string[]) => void): (files: Map<string, Buffer>) => void {
  return (files) => {
    const lines = String(files.get('journal.jsonl')).split('\n').slice(0, -1);
    bend(lines);
    files.set('journal.jsonl', Buffer.from(lines.map((line) => `${line}\n`).join('')));
  };
}

export function text(name: string, bend: (content: string) => string): (files: Map<string, Buffer>) => void {
  return (files) => files.set(name, Buffer.from(bend(String(files.get(name)))));
}
