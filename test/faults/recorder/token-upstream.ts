// SPDX-License-Identifier: Apache-2.0
import type { SqlClient } from '@clyra/adapter-postgres/sql-client';
import { LocalServer } from '@clyra/testing/local-server';
import { insertActivation } from './activations.ts';

export type Effect = { readonly eventId: string; readonly token: string; readonly xid: string };

/** An upstream that does as the demonstration's: one row and the execution token in one transaction. It keeps the tokens. */
export class TokenUpstream {
  readonly effects: readonly Effect[];
  readonly #server: LocalServer;

  private constructor(server: LocalServer, effects: readonly Effect[]) {
    this.#server = server;
    this.effects = effects;
  }

  static async start(sql: SqlClient): Promise<TokenUpstream> {
    const effects: Effect[] = [];
    const server = await LocalServer.start((request, response) => {
      const header = (name: string): string => String(request.headers[name] ?? '');
      const effect = { eventId: header('clyra-event-id'), token: header('clyra-execution-token') };
      request.resume();
      request.on('end', () => {
        insertActivation(sql, { subject: 'gateway', ...effect }).then(
          (xid) => {
            effects.push({ ...effect, xid });
            response.writeHead(201).end('{}');
          },
          () => response.writeHead(500).end('{}'),
        );
      });
    });
    return new TokenUpstream(server, effects);
  }

  get url(): string {
    return this.#server.url;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
