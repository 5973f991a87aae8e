// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../../canonical/json-value.ts';
import type { StateOp, StateView } from '../state-table.ts';

/** A full chunk of times, kept under a key of its own: [its number, how many times are left in it, its newest]. */
type Chunk = readonly [serial: number, count: number, newest: number];
const SERIAL = 0;
const COUNT = 1;
const NEWEST = 2;

/**
 * The times of the actions in a sliding window, exactly. The newest stand in the head; every 128 of them become a chunk
 * that is not copied again, so that an action in a window of 100,000 costs as much as in one of ten.
 */
export type ActionWindow = {
  readonly times: readonly number[];
  readonly chunks: readonly Chunk[];
  readonly serial: number;
};

const CHUNK_TIMES_MAX = 128;
export const NO_ACTIONS: ActionWindow = { times: [], chunks: [], serial: 0 };

/** Where a window stands: the key of its head, without the namespace. */
export type WindowPlace = { readonly state: StateView; readonly id: string };

function chunkKey(id: string, serial: number): string {
  return `velocity_chunk/${id}.${serial}`;
}

function timesOf({ state, id }: WindowPlace, serial: number): readonly number[] {
  return (state.get(chunkKey(id, serial))?.['times'] as readonly number[] | undefined) ?? [];
}

export type LiveActions = { readonly count: number; readonly oldest: number | undefined };

/** How many actions are later than `sinceMs`, and the first of them. Only one chunk is read. */
export function liveActions(place: WindowPlace, window: ActionWindow, sinceMs: number): LiveActions {
  const head = laterThan(window.times, sinceMs);
  let { count, oldest } = head;
  let isFirst = true;
  for (let index = 0; index < window.chunks.length; index += 1) {
    const chunk = window.chunks[index] as Chunk;
    if (chunk[NEWEST] <= sinceMs || chunk[COUNT] === 0) continue;
    if (!isFirst) count += chunk[COUNT];
    else {
      const partly = laterThan(timesOf(place, chunk[SERIAL]), sinceMs);
      count += partly.count;
      oldest = partly.oldest ?? oldest;
      isFirst = false;
    }
  }
  return { count, oldest };
}

/** Tenant time never goes back, so times rise. They are not copied, and not all looked at: windows are read on every request. */
function laterThan(times: readonly number[], sinceMs: number): LiveActions {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) > sinceMs) high = middle;
    else low = middle + 1;
  }
  return { count: times.length - low, oldest: times[low] };
}

export type Action = { readonly nowMs: number; readonly windowMs: number };

/** The window after one more action, and the ops on its chunks: what has left the window is deleted. */
export function withAction(
  { id }: WindowPlace,
  window: ActionWindow,
  { nowMs, windowMs }: Action,
): { readonly window: ActionWindow; readonly ops: readonly StateOp[] } {
  const sinceMs = nowMs - windowMs;
  const ops: StateOp[] = [];
  for (let index = 0; index < window.chunks.length; index += 1) {
    const chunk = window.chunks[index] as Chunk;
    if (chunk[NEWEST] <= sinceMs) ops.push({ op: 'delete', key: chunkKey(id, chunk[SERIAL]) });
  }
  const chunks = ops.length === 0 ? window.chunks : window.chunks.slice(ops.length);
  const isWhole = (window.times[0] ?? nowMs) > sinceMs;
  const live = isWhole ? window.times : window.times.filter((time) => time > sinceMs);
  const times = live.toSpliced(live.length, 0, nowMs);
  if (times.length < CHUNK_TIMES_MAX) return { window: { times, chunks, serial: window.serial }, ops };
  const value: JsonObject = { times, expires_at: nowMs + windowMs };
  ops.push({ op: 'put', key: chunkKey(id, window.serial), value });
  const full: Chunk = [window.serial, times.length, nowMs];
  return { window: { times: [], chunks: [...chunks, full], serial: window.serial + 1 }, ops };
}

/** The window without one action of that time; undefined where it has none. */
export function withoutAction(
  place: WindowPlace,
  window: ActionWindow,
  at: number,
): { readonly window: ActionWindow; readonly ops: readonly StateOp[] } | undefined {
  const index = window.times.lastIndexOf(at);
  if (index >= 0) return { window: { ...window, times: window.times.toSpliced(index, 1) }, ops: [] };
  for (const [position, [serial, count, newest]] of window.chunks.entries()) {
    const key = chunkKey(place.id, serial);
    const chunk = newest < at ? undefined : place.state.get(key);
    const times = (chunk?.['times'] as readonly number[] | undefined) ?? [];
    const inChunk = times.lastIndexOf(at);
    if (chunk === undefined || inChunk < 0) continue;
    const chunks = window.chunks.with(position, [serial, count - 1, newest]);
    return {
      window: { ...window, chunks },
      ops: [{ op: 'put', key, value: { ...chunk, times: times.toSpliced(inChunk, 1) } }],
    };
  }
  return undefined;
}

export function isEmpty(window: ActionWindow): boolean {
  return window.times.length === 0 && window.chunks.every(([, count]) => count === 0);
}
