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

async function runClients(options: LoadOptions, clients: number): Promise<LoadResult> {
  const recorder = new LoadRecorder();
  const endMs = performance.now() + options.durationMs;
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const request = options.maker.next();
      await exchange(options, { recorder, request, startMs: performance.now() });
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
  const recorder = new LoadRecorder();
  const firstMs = performance.now();
  const count = Math.floor((options.durationMs * perSecond) / 1_000);
  const open: Promise<void>[] = [];
  while (open.length < count) {
    const nowMs = performance.now();
    const dueMs = firstMs + (open.length * 1_000) / perSecond;
    if (dueMs > nowMs) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.floor(dueMs - nowMs))));
      continue;
    }
    recorder.late(nowMs - dueMs);
    open.push(exchange(options, { recorder, request: options.maker.next(), startMs: dueMs }));
  }
  await Promise.all(open);
  return recorder.result();
}

type Exchange = {
  readonly recorder: LoadRecorder;
  readonly request: ReturnType<RequestMaker['next']>;
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
