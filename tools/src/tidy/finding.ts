// SPDX-License-Identifier: Apache-2.0
import type ts from 'typescript';

/** A file of ours, read. `syntax` is present for TypeScript only. */
export type SourceText = {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly syntax?: ts.SourceFile;
};

/** Something that should be otherwise. The message names what to do instead. */
export type Finding = {
  readonly rule: string;
  readonly path: string;
  /** Distinguishes two findings of a rule in one file: a function's name, or nothing. */
  readonly name?: string;
  /** 1-based. */
  readonly line: number;
  /** What was measured, where the rule has a limit; 1 where it only asks yes or no. */
  readonly measured: number;
  readonly message: string;
};

export type Rule = (source: SourceText) => readonly Finding[];

export const isTestFile = (path: string): boolean => path.endsWith('.test.ts');

export function lineOf(source: SourceText, position: number): number {
  return source.syntax === undefined
    ? source.text.slice(0, position).split('\n').length
    : source.syntax.getLineAndCharacterOfPosition(position).line + 1;
}
