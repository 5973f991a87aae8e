// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { ResponseEnd, ResponseFact } from '@clyra/core/change/inspection-facts';
import type { ResponseWatch } from '@clyra/core/inspection/response/response-watch';
import { ClyraError } from '@clyra/core/kernel/error';
import type { ResponseRule } from '@clyra/core/policy/body-rules';
import type { Clock } from '@clyra/core/ports/clock';

export type AnswerLimits = { readonly totalMs: number; readonly silenceMs: number; readonly bytesMax: number };

type Body = Uint8Array | AsyncIterable<Uint8Array>;
type Report = (response: ResponseFact) => void;

/** A change whose outcome is not known after a minute is unknown: a longer answer is reported open before that. */
const OPEN_AFTER_MS = 30_000;
/** So many events or items later there is another report, so that a crash loses little of what was notarised. */
const OPEN_EVERY_COUNT = 1_000;
const DEFAULTS: AnswerLimits = { totalMs: 45_000, silenceMs: 30_000, bytesMax: Number.MAX_SAFE_INTEGER };

export function limitsOf(rule: ResponseRule | undefined): AnswerLimits {
  if (rule === undefined) return DEFAULTS;
  return { totalMs: rule.total_seconds * 1_000, silenceMs: rule.silence_seconds * 1_000, bytesMax: rule.bytes_max };
}

/** For the upstream, where the route has times of its own. */
export function answerTimes(rule: ResponseRule | undefined): { answer?: Omit<AnswerLimits, 'bytesMax'> } {
  if (rule === undefined) return {};
  const { totalMs, silenceMs } = limitsOf(rule);
  return { answer: { totalMs, silenceMs } };
}

type Whole = {
  readonly limits: AnswerLimits;
  readonly clock: Clock;
  readonly check: (bytes: Uint8Array) => ResponseFact;
  readonly report: Report;
};

/** A whole answer that fits, or the code of why it is not passed on. What came of it is reported in any case. */
export async function takeWhole(body: Body, { limits, clock, check, report }: Whole): Promise<Uint8Array | string> {
  const chunks: Uint8Array[] = [];
  const hash = createHash('sha256');
  let size = 0;
  const seen: { end: ResponseEnd } = { end: 'complete' };
  const collecting = new WatchedAnswer(body, {
    limits,
    clock,
    watch: {
      count: 0,
      push: (chunk) => {
        hash.update(chunk);
        size += chunk.length;
        return true;
      },
      end: () => true,
      fact: (how) => {
        seen.end = how;
        return { form: 'bytes', end: how, size, digest: hash.copy().digest('hex') };
      },
    },
    report: () => {},
  });
  try {
    for await (const chunk of collecting.pieces()) chunks.push(chunk);
  } catch (error) {
    if (!(error instanceof ClyraError)) seen.end = 'cut';
    report({ form: 'json', end: seen.end, size, digest: hash.copy().digest('hex') });
    return seen.end === 'too_large' ? 'CLY_RESPONSE_TOO_LARGE' : 'CLY_RESPONSE_CUT';
  }
  const bytes = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
  const fact = check(bytes);
  report(fact);
  return fact.end === 'complete' ? bytes : 'CLY_RESPONSE_SCHEMA';
}

export type WatchedParts = {
  readonly watch: ResponseWatch;
  readonly limits: AnswerLimits;
  readonly clock: Clock;
  readonly report: Report;
};

/** An answer that is passed on piece by piece as it comes; how it ended is reported exactly once, `open` before that. */
export function watchedAnswer(body: Body, parts: WatchedParts): AsyncIterable<Uint8Array> {
  return new WatchedAnswer(body, parts).pieces();
}

class WatchedAnswer {
  readonly #parts: WatchedParts;
  readonly #body: AsyncIterator<Uint8Array>;
  #end: ResponseEnd | undefined;
  #size = 0;
  #reportedCount = 0;
  readonly #cancels: (() => void)[];

  constructor(body: Body, parts: WatchedParts) {
    this.#parts = parts;
    const source = body instanceof Uint8Array ? oneChunk(body) : body;
    this.#body = source[Symbol.asyncIterator]();
    const { clock, limits } = parts;
    this.#cancels = [
      clock.after(limits.totalMs, () => this.#finish('too_long')),
      clock.after(OPEN_AFTER_MS, () => this.#reportOpen()),
    ];
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const step = await this.#next();
        if (step.done === true) break;
        this.#take(step.value);
        yield step.value;
        this.#throwIfOver();
      }
      if (!this.#parts.watch.end()) this.#stop('invalid');
      this.#finish('complete');
    } finally {
      // Whoever reads left, or the upstream broke off: nothing else ends an answer before its end.
      this.#finish('cut');
      void this.#body.return?.().catch(() => {});
    }
  }

  #take(chunk: Uint8Array): void {
    this.#throwIfOver();
    const { watch, limits } = this.#parts;
    this.#size += chunk.length;
    if (this.#size > limits.bytesMax) this.#stop('too_large');
    if (!watch.push(chunk)) this.#stop('invalid');
    if (watch.count - this.#reportedCount >= OPEN_EVERY_COUNT) this.#reportOpen();
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const { clock, limits } = this.#parts;
    let cancelTimer = (): void => {};
    const silent = new Promise<'silent'>((resolve) => {
      cancelTimer = clock.after(limits.silenceMs, () => resolve('silent'));
      this.#cancels.push(() => resolve('silent'));
    });
    try {
      const step = await Promise.race([this.#body.next(), silent]);
      this.#throwIfOver();
      if (step === 'silent') this.#stop('stalled');
      return step;
    } finally {
      cancelTimer();
      this.#cancels.pop();
    }
  }

  #stop(end: ResponseEnd): never {
    this.#finish(end);
    this.#throwIfOver();
    throw new Error('an answer that was stopped is over');
  }

  /** The connection must break off: an answer that is not whole must not look whole. */
  #throwIfOver(): void {
    if (this.#end === undefined) return;
    throw new ClyraError('CLY_RESPONSE_CUT', `the answer was broken off (${this.#end})`, { retry: 'never' });
  }

  #reportOpen(): void {
    if (this.#end !== undefined) return;
    this.#reportedCount = this.#parts.watch.count;
    this.#parts.report(this.#parts.watch.fact('open'));
  }

  #finish(end: ResponseEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#parts.report(this.#parts.watch.fact(end));
    for (const cancel of this.#cancels) cancel();
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
