// SPDX-License-Identifier: Apache-2.0
import http from 'node:http';
import type { Credential } from '@clyra/cli/local/credentials';
import { signRequest } from '@clyra/core/inspection/request-signature';
import { systemRandom } from '@clyra/runtime/system-random';

export type CallerRequest = {
  readonly target: string;
  readonly body: string;
  readonly actor: string;
  readonly idempotencyKey: string;
};

/** `status` 0: nobody answered, or the connection was cut. */
export type Answer = {
  readonly status: number;
  readonly eventId: string | undefined;
  /** Of the problem details; undefined in a success. */
  readonly code: string | undefined;
  readonly tookMs: number;
};

export type CallerOptions = {
  readonly gatewayUrl: string;
  readonly credential: Credential;
  /** Connections at most; further requests wait for one. */
  readonly connectionsMax: number;
};

const DEADLINE_MS = 15_000;

/** A client of the gateway: each send has a new nonce and is signed as any caller would sign it. */
export class Caller {
  readonly #options: CallerOptions;
  readonly #agent: http.Agent;
  readonly #secret: Buffer;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: options.connectionsMax });
    this.#secret = Buffer.from(options.credential.secret, 'base64');
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Never rejects. */
  send(request: CallerRequest): Promise<Answer> {
    const startMs = performance.now();
    const headers = { ...this.#headers(request), 'content-type': 'application/json' };
    const took = (): number => performance.now() - startMs;
    return new Promise((resolve) => {
      const none = (): void => resolve({ status: 0, eventId: undefined, code: undefined, tookMs: took() });
      const sent = http.request(
        `${this.#options.gatewayUrl}${request.target}`,
        { method: 'POST', headers, agent: this.#agent, timeout: DEADLINE_MS },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', none);
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            const eventId = response.headers['clyra-event-id'];
            resolve({
              status,
              eventId: typeof eventId === 'string' ? eventId : undefined,
              code: status < 300 ? undefined : codeOf(Buffer.concat(chunks).toString('utf8')),
              tookMs: took(),
            });
          });
        },
      );
      sent.on('timeout', () => sent.destroy());
      sent.on('error', none);
      sent.end(request.body);
    });
  }

  #headers({ target, body, actor, idempotencyKey }: CallerRequest): Record<string, string> {
    const { credential } = this.#options;
    return signRequest({
      keyId: credential.key_id,
      secret: this.#secret,
      method: 'POST',
      target,
      tenant: credential.tenant,
      actor,
      nowMs: Date.now(),
      nonce: Buffer.from(systemRandom.bytes(16)).toString('hex'),
      idempotencyKey,
      body,
    });
  }
}

function codeOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { readonly code?: string }).code;
  } catch {
    return undefined;
  }
}
