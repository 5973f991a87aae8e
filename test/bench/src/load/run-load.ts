// SPDX-License-Identifier: Apache-2.0
import type { HttpTarget } from './http-target.ts';
import { LoadRecorder, type LoadResult, type Sample } from './load-result.ts';
import type { RequestMaker } from './request-maker.ts';

export type Load =
  /** So many callers, each of which sends its next request when its last is answered. */
  | { readonly kind: 'clients'; readonly clients: number }
  /** Arrivals on a schedule, whatever becomes of the earlier ones. */
  | { readonly kind: 'rate'; readonly perSecond: number };

export type LoadOptions = {
  readonly target: HttpTarget;
  readonly maker: RequestMaker;
  readonly load: Load;
  readonly durationMs: number;
  readonly onSample?: (sample: Sample) => void;
};

export function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { load } = options;
  return load.kind === 'clients' ? runClients(options, load.clients) : runSchedule(options, load.perSecond);
}

/** Somewhat more than any server answers here in a second. */
const CLIENTS_PER_SECOND_MAX = 4_000;

/** Requests made before the block begins; should they run out, the rest is made within it. */
function stock({ target, maker }: LoadOptions, count: number): () => Buffer {
  const ready = Array.from({ length: count }, () => target.prepare(maker.next()));
  return () => ready.pop() ?? target.prepare(maker.next());
}

async function runClients(options: LoadOptions, clients: number): Promise<LoadResult> {
  const next = stock(options, Math.ceil((options.durationMs * CLIENTS_PER_SECOND_MAX) / 1_000));
  const recorder = new LoadRecorder();
  const endMs = performance.now() + options.durationMs;
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await exchange(options, { recorder, request: next(), startMs: performance.now() });
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return recorder.result();
}

/**
 * A request's latency starts when it was due, so that a stall is counted for everybody who would have met it and not
 * only for those who had been sent (no coordinated omission).
 */
async function runSchedule(options: LoadOptions, perSecond: number): Promise<LoadResult> {
  const count = Math.floor((options.durationMs * perSecond) / 1_000);
  const next = stock(options, count);
  const recorder = new LoadRecorder();
  const firstMs = performance.now();
  const open: Promise<void>[] = [];
  while (open.length < count) {
    const nowMs = performance.now();
    const dueMs = firstMs + (open.length * 1_000) / perSecond;
    if (dueMs > nowMs) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.floor(dueMs - nowMs))));
      continue;
    }
    recorder.late(nowMs - dueMs);
    open.push(exchange(options, { recorder, request: next(), startMs: dueMs }));
  }
  await Promise.all(open);
  return recorder.result();
}

type Exchange = {
  readonly recorder: LoadRecorder;
  readonly request: Buffer;
  readonly startMs: number;
};

async function exchange(options: LoadOptions, { recorder, request, startMs }: Exchange): Promise<void> {
  const { status, eventId } = await options.target.send(request);
  const endMs = performance.now();
  recorder.answered(status, endMs - startMs);
  if (status === 200 && eventId !== undefined) {
    const { timeOrigin } = performance;
    options.onSample?.({ eventId, startMs: timeOrigin + startMs, endMs: timeOrigin + endMs });
  }
}
