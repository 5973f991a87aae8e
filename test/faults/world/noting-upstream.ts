// SPDX-License-Identifier: Apache-2.0
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export type Arrival = { readonly eventId: string; readonly serial: string; readonly atMs: number };

/** An upstream that does nothing but note when which request reached it. `serial` is the last part of the target. */
export class NotingUpstream {
  readonly arrivals: Arrival[] = [];
  readonly #server: http.Server;

  private constructor() {
    this.#server = http.createServer((request, response) => {
      const eventId = String(request.headers['clyra-event-id'] ?? '');
      this.arrivals.push({ eventId, serial: request.url?.split('/').at(-1) ?? '', atMs: Date.now() });
      request.resume();
      request.on('end', () => {
        response.statusCode = 201;
        response.end('{}');
      });
    });
  }

  static async start(): Promise<NotingUpstream> {
    const upstream = new NotingUpstream();
    await new Promise<void>((resolve) => {
      upstream.#server.listen(0, '127.0.0.1', resolve);
    });
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
