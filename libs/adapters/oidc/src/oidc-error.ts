// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client';

const UNREACHABLE = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
]);
const OAUTH_CODE = /^[a-z_]{1,64}$/;

/** The library's failures by what a person can do about them. What is none of them is a bug and comes out as it was. */
export function oidcError(cause: unknown): unknown {
  if (cause instanceof ClyraError) return cause;
  if (cause instanceof AuthorizationResponseError) {
    const why = OAUTH_CODE.test(cause.error) ? cause.error : 'no reason';
    return new ClyraError('CLY_OIDC_DENIED', `the identity provider did not sign you in (${why})`, {
      retry: 'never',
      cause,
    });
  }
  if (cause instanceof ResponseBodyError) return tokenError(`it was not given (${cause.error})`, cause);
  if (cause instanceof ClientError) return fromClient(cause);
  // fetch says with a TypeError that nobody answers; a provider's certificate that does not hold comes so too.
  if (isFetchFailure(cause)) return unreachable(cause);
  return cause;
}

/** By name: the error may come from another realm than ours. */
function isFetchFailure(failure: unknown): boolean {
  if (typeof failure !== 'object' || failure === null) return false;
  const { name, message } = failure as { name?: unknown; message?: unknown };
  return name === 'TypeError' && message === 'fetch failed';
}

export function tokenError(what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_OIDC_TOKEN', `the token of the identity provider is not acceptable: ${what}`, {
    retry: 'never',
    cause,
  });
}

function unreachable(cause: unknown): ClyraError {
  const message = 'the identity provider does not answer as one: try again, and check its address in the identity file';
  return new ClyraError('CLY_OIDC_UNREACHABLE', message, { retry: 'backoff', cause });
}

function fromClient(cause: ClientError): ClyraError {
  if (isFetchFailure(cause.cause) || UNREACHABLE.has(cause.code ?? '')) return unreachable(cause);
  const claim = claimOf(cause.cause);
  if (claim === 'nonce') {
    return new ClyraError('CLY_OIDC_NONCE', 'the token answers another question than the one that was asked', {
      retry: 'never',
      cause,
    });
  }
  if (claim === 'auth_time') {
    return new ClyraError('CLY_OIDC_LOGIN_AGE', 'the sign-in is too old: sign in again', { retry: 'never', cause });
  }
  return tokenError(claim === undefined ? (cause.code ?? 'for no known reason') : `its ${claim}`, cause);
}

function claimOf(failure: unknown): string | undefined {
  const facts = failure instanceof Error ? failure.cause : undefined;
  const claim = typeof facts === 'object' && facts !== null ? (facts as { claim?: unknown }).claim : undefined;
  return typeof claim === 'string' && OAUTH_CODE.test(claim) ? claim : undefined;
}
