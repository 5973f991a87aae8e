// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type OidcContext, Provider } from 'oidc-provider';
import { oidcMemory } from './oidc-memory.ts';

/** Somebody who can sign in. With the right second code the token says so; without one, a password only. */
export type OidcPerson = {
  readonly subject: string;
  readonly name: string;
  readonly password: string;
  readonly code: string;
  /** RFC 8176 methods of a sign-in with the second code. */
  readonly methods: readonly string[];
};

export type OidcPlan = {
  readonly host: string;
  readonly port: number;
  readonly title: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly people: readonly OidcPerson[];
};

const ACR_TWO_FACTORS = 'urn:clyra:test:two-factors';
const FORM_BYTES_MAX = 4_096;

/** A real OpenID Connect server (oidc-provider) with a sign-in page of its own: name, password, second code. */
export async function startOidcServer(plan: OidcPlan): Promise<{ readonly issuer: string; close(): Promise<void> }> {
  const server = createServer();
  const port = await listen(server, plan);
  const issuer = `http://${plan.host}:${port}`;
  const provider = new Provider(issuer, configurationOf(plan));
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (!(request.url ?? '').startsWith('/interaction/')) return answer(request, response);
    interact(plan, provider, { request, response }).catch((error: unknown) => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
    });
  });
  return {
    issuer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function configurationOf(plan: OidcPlan): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    adapter: oidcMemory(),
    clients: [
      {
        client_id: plan.clientId,
        client_secret: plan.clientSecret,
        redirect_uris: plan.redirectUris,
        response_types: ['code'],
        grant_types: ['authorization_code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'test-1' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    claims: { openid: ['sub', 'amr', 'acr', 'auth_time'], profile: ['name'] },
    acrValues: [ACR_TWO_FACTORS],
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_context: unknown, subject: string) => {
      const person = plan.people.find((one) => one.subject === subject);
      if (person === undefined) return undefined;
      return { accountId: subject, claims: () => ({ sub: subject, name: person.name }) };
    },
    // People have agreed beforehand: a page to agree on would only be one more click in every test.
    loadExistingGrant: async ({ oidc }: OidcContext) => {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
    ttl: { Session: 3_600, Interaction: 600, Grant: 3_600, IdToken: 600, AccessToken: 600, AuthorizationCode: 60 },
  };
}

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

async function interact(plan: OidcPlan, provider: Provider, { request, response }: Exchange): Promise<void> {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') return page(response, plan, { uid, problem: '' });
  const form = new URLSearchParams((await text(request)).slice(0, FORM_BYTES_MAX));
  if (form.has('cancel')) {
    return provider.interactionFinished(request, response, { error: 'access_denied' });
  }
  const person = plan.people.find(({ subject }) => subject === form.get('name'));
  if (person === undefined || person.password !== form.get('password')) {
    return page(response, plan, { uid, problem: 'Name or password is wrong.' });
  }
  const isSecond = person.code !== '' && form.get('code') === person.code;
  const login = {
    accountId: person.subject,
    amr: isSecond ? person.methods : ['pwd'],
    ...(isSecond ? { acr: ACR_TWO_FACTORS } : {}),
  };
  return provider.interactionFinished(request, response, { login });
}

function page(response: ServerResponse, plan: OidcPlan, { uid, problem }: { uid: string; problem: string }): void {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${plan.title}</title>
<main><h1>${plan.title}</h1><p>${problem}</p><form method="post" action="/interaction/${uid}">
<p><label>Name <input name="name" autocomplete="username" autofocus></label></p>
<p><label>Password <input name="password" type="password"></label></p>
<p><label>Second code <input name="code" autocomplete="one-time-code"></label></p>
<p><button>Sign in</button> <button name="cancel" value="1">Cancel</button></p></form></main></html>`;
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(html);
}

function listen(server: Server, { host, port }: OidcPlan): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
