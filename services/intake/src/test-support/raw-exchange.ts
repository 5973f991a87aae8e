// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';

export type RawAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

const DEADLINE_MS = 15_000;

/** Writes bytes to a socket and reads one HTTP answer: no client stands in between that would tidy them up. */
export function rawExchange(url: string, bytes: Uint8Array): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let received = Buffer.alloc(0);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const timer = setTimeout(
      () => end(() => reject(new Error(`no answer; received ${received.toString('latin1')}`))),
      DEADLINE_MS,
    );
    const finish = (closed: boolean): void => {
      const answer = parseAnswer(received, closed);
      if (answer !== undefined) end(() => resolve(answer));
      else if (closed) end(() => reject(new Error(`closed after ${received.toString('latin1')}`)));
    };
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      finish(false);
    });
    socket.on('close', () => finish(true));
    // A reset after the answer is fine; before it, `close` tells.
    socket.on('error', () => {});
  });
}

function parseAnswer(received: Buffer, closed: boolean): RawAnswer | undefined {
  const text = received.toString('latin1');
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine, ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = received.subarray(headEnd + 4);
  const length = headers['content-length'];
  if (length === undefined ? !closed : body.length < Number(length)) return undefined;
  return { status: Number(statusLine?.split(' ')[1]), headers, body: body.toString('utf8') };
}
