// SPDX-License-Identifier: Apache-2.0
import { Pool } from 'undici';
import type { SignedRequest } from './request-maker.ts';

export type Answer = { readonly status: number; readonly eventId: string | undefined };

/** One server under load, over kept connections. */
export class HttpTarget {
  readonly #pool: Pool;

  constructor(url: string, connectionsMax: number) {
    this.#pool = new Pool(url, { connections: connectionsMax, pipelining: 1 });
  }

  async send({ target, headers, body }: SignedRequest): Promise<Answer> {
    const response = await this.#pool.request({ method: 'POST', path: target, headers, body });
    await response.body.arrayBuffer();
    const eventId = response.headers['clyra-event-id'];
    return { status: response.statusCode, eventId: typeof eventId === 'string' ? eventId : undefined };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
