// SPDX-License-Identifier: Apache-2.0
/** One sign-in that was begun: where the browser goes, and what only we know until it comes back. */
export type StartedSignIn = { readonly url: string; readonly codeVerifier: string };

export type SignInWish = {
  /** Comes back unchanged with the browser. */
  readonly state: string;
  /** Comes back inside the signed id token, and nowhere else. */
  readonly nonce: string;
  readonly redirectUri: string;
  /** How long ago the person may have signed in; 0 asks them again. */
  readonly maxAgeSeconds?: number;
  readonly acrValues?: string;
};

/** Who signed in, as the provider's signed token says. */
export type SignedIn = {
  readonly issuer: string;
  /** The provider's stable id of the person. */
  readonly subject: string;
  /** A name to show, where the provider gives one. */
  readonly name: string | null;
  /** RFC 8176 methods. */
  readonly amr: readonly string[];
  readonly acr: string | null;
  /** When the person really signed in, in milliseconds; null where the provider does not say. */
  readonly authTimeMs: number | null;
  readonly claims: Readonly<Record<string, unknown>>;
  /** The token as it was received, and the keys that it was checked with: together they prove the rest. */
  readonly idToken: string;
  readonly jwks: string;
};

/**
 * An OpenID Connect provider. Every method rejects with CLY_OIDC_UNREACHABLE (retry: backoff) where it does not answer in
 * time; `finish` with CLY_OIDC_DENIED where it or the person said no, CLY_OIDC_NONCE where the token answers another
 * question, CLY_OIDC_TOKEN where it is not acceptable.
 */
export interface IdentityProvider {
  begin(wish: SignInWish): Promise<StartedSignIn>;
  /** `callbackUrl`: the address that the browser came back to, with its query. */
  finish(callbackUrl: string, wish: SignInWish, codeVerifier: string): Promise<SignedIn>;
  /** Where the browser is sent: a page may post to nowhere else. */
  authorizationOrigin(): Promise<string>;
}
