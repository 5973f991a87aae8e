// SPDX-License-Identifier: Apache-2.0
import { createHmac, type KeyObject } from 'node:crypto';
import type { PromptDelta } from '../change/detector-fact.ts';
import { segmentsOf } from './prompt-segments.ts';

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
  const now = new Map<string, number>();
  for (const [segment, times] of counted(kept(segmentsOf(texts)))) count(now, hashOf(key, segment), times);
  const memory = [...now.keys()].sort().flatMap((hash) => new Array<string>(now.get(hash) ?? 0).fill(hash));
  const before = counted(previous ?? []);
  const hash = createHmac('sha256', key)
    .update(`prompt\n${memory.join('\n')}`, 'utf8')
    .digest('hex');
  const [added, removed] = [excess(now, before), excess(before, now)];
  return { delta: { hash, segments: memory.length, added, removed }, memory };
}

function kept(segments: readonly string[]): readonly string[] {
  if (segments.length <= SEGMENTS_MAX) return segments;
  return [...segments.slice(0, SEGMENTS_MAX), segments.slice(SEGMENTS_MAX).join('\n')];
}

function hashOf(key: Uint8Array | KeyObject, segment: string): string {
  return createHmac('sha256', key).update(`segment\n${segment}`, 'utf8').digest('hex').slice(0, 32);
}

/** Records made by one template are the same segment many times. */
function counted(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) count(counts, text, 1);
  return counts;
}

function count(counts: Map<string, number>, text: string, times: number): void {
  counts.set(text, (counts.get(text) ?? 0) + times);
}

function excess(of: ReadonlyMap<string, number>, over: ReadonlyMap<string, number>): number {
  let count = 0;
  for (const [hash, times] of of) count += Math.max(0, times - (over.get(hash) ?? 0));
  return count;
}
