// SPDX-License-Identifier: Apache-2.0
import { LocalServer } from '@clyra/testing/local-server';

export type Arrival = { readonly eventId: string; readonly serial: string; readonly atMs: number };

/** An upstream that does nothing but note when which request reached it. `serial` is the last part of the target. */
export class NotingUpstream {
  readonly arrivals: readonly Arrival[];
  readonly #server: LocalServer;

  private constructor(server: LocalServer, arrivals: readonly Arrival[]) {
    this.#server = server;
    this.arrivals = arrivals;
  }

  static async start(): Promise<NotingUpstream> {
    const arrivals: Arrival[] = [];
    const server = await LocalServer.start((request, response) => {
      const eventId = String(request.headers['clyra-event-id'] ?? '');
      arrivals.push({ eventId, serial: request.url?.split('/').at(-1) ?? '', atMs: Date.now() });
      request.resume();
      request.on('end', () => {
        response.statusCode = 201;
        response.end('{}');
      });
    });
    return new NotingUpstream(server, arrivals);
  }

  get url(): string {
    return this.#server.url;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
