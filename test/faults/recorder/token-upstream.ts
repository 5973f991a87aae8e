// SPDX-License-Identifier: Apache-2.0
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SqlClient } from '@clyra/adapter-postgres/sql-client';
import { insertActivation } from './activations.ts';

export type Effect = { readonly eventId: string; readonly token: string; readonly xid: string };

/** An upstream that does as the demonstration's: one row and the execution token in one transaction. It keeps the tokens. */
export class TokenUpstream {
  readonly effects: Effect[] = [];
  readonly #server: http.Server;

  private constructor(sql: SqlClient) {
    this.#server = http.createServer((request, response) => {
      const header = (name: string): string => String(request.headers[name] ?? '');
      const effect = { eventId: header('clyra-event-id'), token: header('clyra-execution-token') };
      request.resume();
      request.on('end', () => {
        insertActivation(sql, { subject: 'gateway', ...effect }).then(
          (xid) => {
            this.effects.push({ ...effect, xid });
            response.writeHead(201).end('{}');
          },
          () => response.writeHead(500).end('{}'),
        );
      });
    });
  }

  static async start(sql: SqlClient): Promise<TokenUpstream> {
    const upstream = new TokenUpstream(sql);
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
