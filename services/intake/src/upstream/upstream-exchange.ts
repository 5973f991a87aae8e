// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import type { Dispatcher, Pool } from 'undici';
import type { UpstreamResult } from '../gateway/upstream.ts';
import { AnswerStream } from './answer-stream.ts';

/** An answer that says it is no longer than this is handed over whole. */
const BUFFERED_BYTES_MAX = 65_536;

/** Errors before a connection stood: the request was not sent. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const TIMEOUTS: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'TimeoutError']);

type Headers = Record<string, string | string[]>;

/** Sends a request; what comes of it never rejects. `totalMs` runs from here to the end of the answer. */
export function exchangeWith(
  pool: Pool,
  options: Dispatcher.DispatchOptions,
  totalMs: number,
): Promise<UpstreamResult> {
  return new Promise((resolve) => {
    pool.dispatch(options, new UpstreamExchange(options.body, totalMs, resolve));
  });
}

/**
 * One request on the interface below undici's streams: a short answer, as most are, is gathered from its pieces, which
 * takes two thirds of what a stream, a signal and their listeners cost.
 */
class UpstreamExchange implements Dispatcher.DispatchHandler {
  readonly #sent: unknown;
  readonly #timer: NodeJS.Timeout;
  readonly #settle: (result: UpstreamResult) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #late: Error | undefined;
  #status = 0;
  #headers: Headers = {};
  readonly #pieces: Uint8Array[] = [];
  #stream: AnswerStream | undefined;

  constructor(sent: unknown, totalMs: number, settle: (result: UpstreamResult) => void) {
    this.#sent = sent;
    this.#settle = settle;
    this.#timer = setTimeout(() => this.#end(), totalMs);
    this.#timer.unref();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#late !== undefined) controller.abort(this.#late);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = present(headers);
    if (Number(headers['content-length'] ?? Number.NaN) <= BUFFERED_BYTES_MAX) return;
    this.#stream = new AnswerStream(controller);
    this.#stream.once('close', () => clearTimeout(this.#timer));
    this.#answer(this.#stream);
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#stream === undefined) this.#pieces.push(piece);
    else this.#stream.receive(piece);
  }

  onResponseEnd(): void {
    if (this.#stream !== undefined) {
      this.#stream.finish();
      return;
    }
    clearTimeout(this.#timer);
    const [first, ...more] = this.#pieces;
    this.#answer(more.length === 0 ? (first ?? new Uint8Array()) : Buffer.concat(this.#pieces));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#sent instanceof Readable) this.#sent.on('error', () => {}).destroy();
    if (this.#stream !== undefined) {
      this.#stream.fail(error);
      return;
    }
    clearTimeout(this.#timer);
    this.#settle(resultOf(error));
  }

  #answer(body: Uint8Array | AnswerStream): void {
    this.#settle({ kind: 'answered', status: this.#status, headers: this.#headers, body });
  }

  /** A request that still waits for a connection is given up when its turn comes. */
  #end(): void {
    this.#late = new DOMException('too slow', 'TimeoutError');
    this.#controller?.abort(this.#late);
  }
}

function present(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const kept: Headers = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) kept[name] = value;
  return kept;
}

function resultOf(error: unknown): UpstreamResult {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  const word = typeof code === 'string' ? code : String(name);
  if (NOT_SENT.has(word)) return { kind: 'not_sent', detail: 'upstream_unreachable' };
  const timedOut = TIMEOUTS.has(word) || name === 'TimeoutError';
  const safe = word
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]/g, '_')
    .slice(0, 64);
  return { kind: 'failed', detail: timedOut ? 'upstream_timeout' : `upstream_${safe}`, timedOut };
}
