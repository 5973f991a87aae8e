// SPDX-License-Identifier: Apache-2.0
import { connect, type Socket } from 'node:net';
import { type Answer, AnswerParser } from './answer-parser.ts';
import type { SignedRequest } from './request-maker.ts';

type Connection = { readonly socket: Socket; readonly parser: AnswerParser; waiter: Waiter | undefined };
type Waiter = { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void };

/**
 * One server under load, over kept connections, one request at a time on each. Requests are bytes made beforehand: the
 * generator shares two cores with what it measures, so whatever it spends during a block is missing there.
 */
export class HttpTarget {
  readonly #url: URL;
  readonly #connectionsMax: number;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #queue: ((connection: Connection) => void)[] = [];

  constructor(url: string, connectionsMax: number) {
    this.#url = new URL(url);
    this.#connectionsMax = connectionsMax;
  }

  prepare({ target, headers, body }: SignedRequest): Buffer {
    const lines = Object.entries({ host: this.#url.host, ...headers, 'content-length': Buffer.byteLength(body) });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return Buffer.from(`POST ${target} HTTP/1.1\r\n${head}\r\n${body}`, 'utf8');
  }

  async send(request: Buffer): Promise<Answer> {
    const connection = await this.#take();
    return new Promise((resolve, reject) => {
      connection.waiter = { resolve, reject };
      connection.socket.write(request);
    });
  }

  async close(): Promise<void> {
    for (const { socket } of this.#all) socket.destroy();
    this.#all.clear();
  }

  async #take(): Promise<Connection> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#all.size < this.#connectionsMax) return this.#open();
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  #open(): Connection {
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port), noDelay: true });
    const connection: Connection = { socket, parser: new AnswerParser(), waiter: undefined };
    this.#all.add(connection);
    socket.on('data', (bytes) => this.#received(connection, bytes));
    socket.on('error', (error) => this.#lost(connection, error));
    socket.on('close', () => this.#lost(connection, new Error('the server closed the connection')));
    return connection;
  }

  #received(connection: Connection, bytes: Buffer): void {
    const { waiter } = connection;
    try {
      const answer = connection.parser.push(bytes);
      if (answer === undefined) return;
      connection.waiter = undefined;
      const next = this.#queue.shift();
      if (next === undefined) this.#idle.push(connection);
      else next(connection);
      waiter?.resolve(answer);
    } catch (error) {
      connection.socket.destroy(error as Error);
    }
  }

  #lost(connection: Connection, error: Error): void {
    if (!this.#all.delete(connection)) return;
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    connection.waiter?.reject(error);
    const next = this.#queue.shift();
    if (next !== undefined) next(this.#open());
  }
}
