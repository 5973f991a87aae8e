// SPDX-License-Identifier: Apache-2.0

export type Answer = { readonly status: number; readonly eventId: string | undefined };

const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';
const STATUS = /^HTTP\/1\.1 (\d{3})/;
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const EVENT_ID = /\r\nclyra-event-id: *([0-9a-f-]{36})/i;

/** Finds the end of one answer at a time: just enough of HTTP/1.1 for servers of ours, at a fraction of a client's price. */
export class AnswerParser {
  #pending = '';

  /** latin1, so that a letter is a byte. Returns the answer once its last byte is here. Throws where it is no HTTP. */
  push(bytes: Buffer): Answer | undefined {
    this.#pending += bytes.toString('latin1');
    const headEnd = this.#pending.indexOf(HEAD_END);
    if (headEnd < 0) return undefined;
    const head = this.#pending.slice(0, headEnd);
    const status = STATUS.exec(head)?.[1];
    if (status === undefined) throw new Error('the server answered something else than HTTP/1.1');
    const length = LENGTH.exec(head)?.[1];
    const bodyStart = headEnd + HEAD_END.length;
    const isWhole =
      length === undefined
        ? this.#pending.endsWith(LAST_CHUNK)
        : this.#pending.length - bodyStart >= Number.parseInt(length, 10);
    if (!isWhole) return undefined;
    this.#pending = '';
    return { status: Number.parseInt(status, 10), eventId: EVENT_ID.exec(head)?.[1] };
  }
}
