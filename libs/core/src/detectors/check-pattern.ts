// SPDX-License-Identifier: Apache-2.0
const REPEAT_MAX = 120;
const LONG_REPEATS_MAX = 3;
const LONG = 12;
const PATTERN_LENGTH_MAX = 1_000;

/**
 * What keeps a pattern from being matched in time linear in the text, or undefined. Every repetition has a small bound
 * and stands on a single character or class, so a match attempt takes a bounded number of steps wherever it begins.
 */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length > PATTERN_LENGTH_MAX) return `is longer than ${PATTERN_LENGTH_MAX} characters`;
  if (/\\[1-9k]/.test(pattern)) return 'refers back to what it matched';
  const bare = pattern.replaceAll(/\\[\s\S]/g, 'x').replaceAll(/\[[^\]]*\]/g, 'x');
  if (/\(\?(?!:)/.test(bare)) return 'looks ahead or behind, or names a group';
  if (/[*+]/.test(bare)) return 'repeats without a bound: write {0,40} or the like';
  if (/\{\d*,\}/.test(bare)) return 'repeats without an upper bound';
  if (/\)\{/.test(bare)) return 'repeats a group';
  const bounds = [...bare.matchAll(REPEAT)].map((match) => Number(match[2] ?? match[1]));
  if (bounds.some((bound) => bound > REPEAT_MAX)) return `repeats more than ${REPEAT_MAX} times`;
  if (alternatives(bare).some((one) => longRepeats(one) > LONG_REPEATS_MAX)) {
    return `has more than ${LONG_REPEATS_MAX} repetitions with ${LONG} or more lengths in one alternative`;
  }
  try {
    new RegExp(pattern, 'u');
    return undefined;
  } catch {
    return 'is no regular expression';
  }
}

const REPEAT = /\{(\d+)(?:,(\d+))?\}/g;

/** Repetitions that can have many lengths multiply the steps of one attempt; those of one length do not. */
function longRepeats(pattern: string): number {
  const widths = [...pattern.matchAll(REPEAT)].map((match) => Number(match[2] ?? match[1]) - Number(match[1]));
  return widths.filter((width) => width > LONG).length;
}

/** Alternatives outside of any group are tried one after the other, so their steps only add up. */
function alternatives(pattern: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const char of pattern) {
    depth += char === '(' ? 1 : char === ')' ? -1 : 0;
    if (char === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}
