// SPDX-License-Identifier: Apache-2.0
import type { IdentityProvider, SignedIn, SignInWish, StartedSignIn } from '@clyra/core/ports/identity-provider';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  None,
  randomPKCECodeVerifier,
} from 'openid-client';
import { oidcError } from './oidc-error.ts';
import { signedIn } from './signed-in.ts';

export type IdentityProviderSettings = {
  readonly issuer: string;
  readonly clientId: string;
  /** Absent for a public client: PKCE alone protects the code then. */
  readonly clientSecret?: string | undefined;
  readonly deadlineMs: number;
};

/** What is learned from the provider's own description is asked again after this. */
const DISCOVERY_MS = 3_600_000;
/** Asked to sign in anew, a person may take this long from the password to the last page of the provider. */
const SIGN_IN_SECONDS = 300;

/**
 * Asks nobody until somebody signs in: a provider that is down keeps no service from starting. Plain HTTP is for this
 * machine only; whoever reads the settings checks that.
 */
export function openIdentityProvider(settings: IdentityProviderSettings, clock: { nowMs(): number }): IdentityProvider {
  return new OidcProvider(settings, clock);
}

class OidcProvider implements IdentityProvider {
  readonly #settings: IdentityProviderSettings;
  readonly #clock: { nowMs(): number };
  #known: { readonly configuration: Configuration; readonly untilMs: number } | undefined;

  constructor(settings: IdentityProviderSettings, clock: { nowMs(): number }) {
    this.#settings = settings;
    this.#clock = clock;
  }

  async begin(wish: SignInWish): Promise<StartedSignIn> {
    const configuration = await this.#configuration();
    const codeVerifier = randomPKCECodeVerifier();
    const url = buildAuthorizationUrl(configuration, {
      scope: 'openid profile',
      redirect_uri: wish.redirectUri,
      state: wish.state,
      nonce: wish.nonce,
      code_challenge: await calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
      ...(wish.maxAgeSeconds === undefined ? {} : { max_age: String(wish.maxAgeSeconds) }),
      ...(wish.maxAgeSeconds === 0 ? { prompt: 'login' } : {}),
      ...(wish.acrValues === undefined ? {} : { acr_values: wish.acrValues }),
    });
    return { url: url.href, codeVerifier };
  }

  async finish(callbackUrl: string, wish: SignInWish, codeVerifier: string): Promise<SignedIn> {
    const configuration = await this.#configuration();
    try {
      const tokens = await authorizationCodeGrant(configuration, new URL(callbackUrl), {
        expectedState: wish.state,
        expectedNonce: wish.nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
        // At 0 the person has just signed in; signing in itself may take a while.
        ...(wish.maxAgeSeconds === undefined ? {} : { maxAge: Math.max(wish.maxAgeSeconds, SIGN_IN_SECONDS) }),
      });
      return signedIn(tokens, configuration);
    } catch (cause) {
      throw oidcError(cause);
    }
  }

  async authorizationOrigin(): Promise<string> {
    const configuration = await this.#configuration();
    return new URL(String(configuration.serverMetadata().authorization_endpoint)).origin;
  }

  async #configuration(): Promise<Configuration> {
    const nowMs = this.#clock.nowMs();
    if (this.#known !== undefined && nowMs < this.#known.untilMs) return this.#known.configuration;
    const { issuer, clientId, clientSecret, deadlineMs } = this.#settings;
    const isPlain = new URL(issuer).protocol === 'http:';
    try {
      const configuration = await discovery(
        new URL(issuer),
        clientId,
        clientSecret,
        clientSecret === undefined ? None() : undefined,
        {
          timeout: deadlineMs / 1_000,
          // The signature is checked even though the token came over TLS: the token itself becomes evidence.
          execute: [enableNonRepudiationChecks, ...(isPlain ? [allowInsecureRequests] : [])],
        },
      );
      this.#known = { configuration, untilMs: nowMs + DISCOVERY_MS };
      return configuration;
    } catch (cause) {
      throw oidcError(cause);
    }
  }
}
