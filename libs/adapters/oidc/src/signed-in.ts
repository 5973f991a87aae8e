// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '@clyra/core/canonical/json-value';
import type { SignedIn } from '@clyra/core/ports/identity-provider';
import { type authorizationCodeGrant, type Configuration, getJwksCache } from 'openid-client';
import { tokenError } from './oidc-error.ts';

type Tokens = Awaited<ReturnType<typeof authorizationCodeGrant>>;

const NAME_LENGTH_MAX = 120;
const AMR_MAX = 16;

/** What the checked token says. Throws CLY_OIDC_TOKEN where a claim that we need has another type. */
export function signedIn(tokens: Tokens, configuration: Configuration): SignedIn {
  const claims = tokens.claims();
  if (claims === undefined || tokens.id_token === undefined) throw tokenError('there is no id token');
  const { amr = [], acr = null, auth_time: authTime } = claims;
  const methods = amr as JsonValue;
  if (!Array.isArray(methods) || methods.length > AMR_MAX || !methods.every((method) => typeof method === 'string')) {
    throw tokenError('its amr is no short list of texts');
  }
  if (acr !== null && typeof acr !== 'string') throw tokenError('its acr is no text');
  return {
    issuer: claims.iss,
    subject: claims.sub,
    name: nameOf(claims as JsonObject),
    amr: methods as readonly string[],
    acr,
    authTimeMs: authTime === undefined ? null : authTime * 1_000,
    claims: claims as JsonObject,
    idToken: tokens.id_token,
    jwks: JSON.stringify(getJwksCache(configuration)?.jwks ?? { keys: [] }),
  };
}

function nameOf(claims: JsonObject): string | null {
  const name = claims['name'] ?? claims['preferred_username'] ?? claims['email'];
  return typeof name === 'string' ? name.slice(0, NAME_LENGTH_MAX) : null;
}
