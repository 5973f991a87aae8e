// SPDX-License-Identifier: Apache-2.0
import { LocalServer } from '@clyra/testing/local-server';
import type { Inbox, Order } from './inbox.ts';

/** An upstream that hands each activation on to the inbox, and keeps the tokens of maintenance for whoever asked. */
export class InboxUpstream {
  readonly #server: LocalServer;
  readonly #tokens: ReadonlyMap<string, string>;

  private constructor(server: LocalServer, tokens: ReadonlyMap<string, string>) {
    this.#server = server;
    this.#tokens = tokens;
  }

  static async start(inbox: Inbox): Promise<InboxUpstream> {
    const tokens = new Map<string, string>();
    const server = await LocalServer.start((request, response) => {
      const header = (name: string): string => String(request.headers[name] ?? '');
      const order: Order = { eventId: header('clyra-event-id'), token: header('clyra-execution-token') };
      tokens.set(order.eventId, order.token);
      if (request.url?.startsWith('/activations/') === true) inbox.add(order);
      request.resume();
      request.on('end', () => response.writeHead(201).end('{}'));
    });
    return new InboxUpstream(server, tokens);
  }

  get url(): string {
    return this.#server.url;
  }

  /** Every token that an allowed change brought here. */
  get tokens(): readonly string[] {
    return [...this.#tokens.values()];
  }

  tokenOf(eventId: string | undefined): string {
    const token = this.#tokens.get(eventId ?? '');
    if (token === undefined) throw new Error(`the change ${eventId} did not reach the upstream`);
    return token;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
