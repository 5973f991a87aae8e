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

const BETWEEN = /\n+|(?<=[.!?])\s/;
/** Where there is none of these the whole text is one segment: looking for it costs less than splitting. */
const MAY_SPLIT = /\n|[.!?]\s/;

function segmentsOf(text: string): string[] {
  const parts = MAY_SPLIT.test(text) ? text.split(BETWEEN) : [text];
  return parts.map((part) => masked(foldText(part)).trim()).filter((part) => part !== '');
}

const DIGIT = /[0-9]/;
const DIGITS = /[0-9]+/g;
const MASKED_CHARS_MIN = 6;
/** By character code: what words, identifiers and UUIDs are made of. */
const IN_WORD = Uint8Array.from({ length: 128 }, (_, code) => (/[a-z0-9_-]/.test(String.fromCharCode(code)) ? 1 : 0));

/** Identifiers, addresses and numbers differ from call to call without a change of what is asked: whole words, or their digits. */
function masked(text: string): string {
  if (!DIGIT.test(text)) return text;
  let answer = '';
  let copied = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (IN_WORD[text.charCodeAt(at)] !== 1) continue;
    const start = at;
    let hasDigit = false;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (IN_WORD[code] !== 1) break;
      hasDigit ||= code >= 48 && code <= 57;
    }
    if (!hasDigit) continue;
    const word = at - start < MASKED_CHARS_MIN ? text.slice(start, at).replace(DIGITS, '#') : '#';
    answer += text.slice(copied, start) + word;
    copied = at;
  }
  return answer + text.slice(copied);
}

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
