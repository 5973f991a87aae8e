// SPDX-License-Identifier: Apache-2.0
import { createHmac, type KeyObject } from 'node:crypto';
import type { PromptDelta } from '../change/detector-fact.ts';
import { foldText } from './fold-text.ts';

/** Segments of one prompt that are told apart; the rest counts as one more. */
export const SEGMENTS_MAX = 256;

/** Keyed hashes of a prompt's segments, sorted: what is remembered of it, in memory only. */
export type PromptMemory = readonly string[];

/**
 * How a prompt differs from the one before it in its run. Ids and numbers are masked, so that a template filled in anew is the
 * same prompt; the key keeps anybody from testing guesses against the recorded hash.
 */
export function promptDelta(
  texts: readonly string[],
  key: Uint8Array | KeyObject,
  previous: PromptMemory | null,
): { readonly delta: PromptDelta; readonly memory: PromptMemory } {
  const segments = texts.flatMap(segmentsOf);
  const kept = segments.slice(0, SEGMENTS_MAX);
  const rest = segments.slice(SEGMENTS_MAX).join('\n');
  const memory = hashesOf(key, [...kept, ...(rest === '' ? [] : [rest])]).sort();
  const before = counted(previous ?? []);
  const now = counted(memory);
  const added = excess(now, before);
  const hash = createHmac('sha256', key)
    .update(`prompt\n${memory.join('\n')}`, 'utf8')
    .digest('hex');
  return { delta: { hash, segments: memory.length, added, removed: excess(before, now) }, memory };
}

function segmentsOf(text: string): string[] {
  return text
    .split(/\n+|(?<=[.!?])\s/)
    .map((part) => masked(foldText(part)).trim())
    .filter((part) => part !== '');
}

/** Identifiers, addresses and numbers differ from call to call without a change of what is asked. */
function masked(text: string): string {
  const dashed = text.includes('-') ? text.replace(UUID, '#') : text;
  // What follows looks for words with a digit in them, and most sentences have none.
  return DIGIT.test(dashed) ? dashed.replace(WORD_WITH_DIGIT, '#').replace(DIGITS, '#') : dashed;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const DIGIT = /[0-9]/;
const WORD_WITH_DIGIT = /\b(?=[a-z0-9_-]{0,40}\d)[a-z0-9_-]{6,64}\b/g;
const DIGITS = /\d+/g;

/** One hash for each segment; records made by one template are the same segment many times. */
function hashesOf(key: Uint8Array | KeyObject, segments: readonly string[]): string[] {
  const known = new Map<string, string>();
  return segments.map((segment) => {
    const hash = known.get(segment) ?? hashOf(key, segment);
    known.set(segment, hash);
    return hash;
  });
}

function hashOf(key: Uint8Array | KeyObject, segment: string): string {
  return createHmac('sha256', key).update(`segment\n${segment}`, 'utf8').digest('hex').slice(0, 32);
}

function counted(memory: PromptMemory): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const hash of memory) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  return counts;
}

function excess(of: ReadonlyMap<string, number>, over: ReadonlyMap<string, number>): number {
  let count = 0;
  for (const [hash, times] of of) count += Math.max(0, times - (over.get(hash) ?? 0));
  return count;
}
