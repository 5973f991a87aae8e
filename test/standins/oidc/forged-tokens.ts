// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Claims = Readonly<Record<string, unknown>>;

export type Forgery = {
  /** Changes of what an honest token would say. */
  readonly claims?: Claims;
  readonly alg?: 'ES256' | 'none' | 'HS256';
  /** Signs with a key that the provider has not published. */
  readonly isForeignKey?: boolean;
  readonly answer?: { readonly status: number; readonly body: string; readonly type: string };
};

/** An OpenID Connect provider that lies as it is told: discovery, keys and a token endpoint, and no sign-in. */
export class ForgedTokens {
  issuer = '';
  forgery: Forgery = {};
  /** The nonce of the question that the next token answers. */
  nonce = '';
  readonly #own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #server = createServer(async (request, response) => {
    await text(request);
    const { status, body, type } = this.#answer(request.url ?? '');
    response.writeHead(status, { 'content-type': type }).end(body);
  });

  static async start(): Promise<ForgedTokens> {
    const made = new ForgedTokens();
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    made.issuer = `http://127.0.0.1:${(made.#server.address() as AddressInfo).port}`;
    return made;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #answer(path: string): { status: number; body: string; type: string } {
    const json = (value: unknown) => ({ status: 200, body: JSON.stringify(value), type: 'application/json' });
    if (path === '/.well-known/openid-configuration') return json(this.#metadata());
    if (path === '/jwks') {
      return json({ keys: [{ ...this.#own.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: '1' }] });
    }
    if (this.forgery.answer !== undefined) return this.forgery.answer;
    return json({ access_token: 'unused', token_type: 'bearer', expires_in: 60, id_token: this.#token() });
  }

  #metadata(): Claims {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      jwks_uri: `${this.issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    };
  }

  #token(): string {
    const now = Math.floor(Date.now() / 1_000);
    const honest = {
      iss: this.issuer,
      sub: 'ada',
      aud: 'client',
      iat: now,
      exp: now + 60,
      auth_time: now,
      nonce: this.nonce,
    };
    const { alg = 'ES256', claims, isForeignKey = false } = this.forgery;
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const head = `${part({ alg, kid: '1' })}.${part({ ...honest, amr: ['pwd'], ...claims })}`;
    if (alg !== 'ES256') return `${head}.`;
    return `${head}.${signature(isForeignKey ? this.#foreign.privateKey : this.#own.privateKey, head)}`;
  }
}

function signature(key: KeyObject, text: string): string {
  return sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}
