// SPDX-License-Identifier: Apache-2.0
import type { Role, TrustedKey } from './trust-root.ts';

export type KeyCode =
  | 'CLY_KEY_UNKNOWN'
  | 'CLY_KEY_ROLE'
  | 'CLY_KEY_ALGORITHM'
  | 'CLY_KEY_TIME'
  | 'CLY_KEY_REVOKED'
  | 'CLY_KEY_REVOKED_UNDATED';

/** When a signature was made, as far as it is known. */
export interface Moment {
  /** Append time of the line; null for a seal whose cut is not known, and then no window is judged. */
  readonly timeMs: number | null;
  /** The bundle's trusted time: outside time-stamps say that all of it existed by then. */
  readonly trustedMs: number | null;
}

/** Why a key may not sign in one of these roles at a moment, or null (trust.md §4 rows 1 to 7). */
export function refuseKey(key: TrustedKey | undefined, roles: readonly Role[], at: Moment): KeyCode | null {
  if (key === undefined) {
    return 'CLY_KEY_UNKNOWN';
  }
  if (!roles.some((role) => key.roles.has(role))) {
    return 'CLY_KEY_ROLE';
  }
  if (key.ed25519 === null) {
    return 'CLY_KEY_ALGORITHM';
  }
  return refuseMoment(key, at);
}

/** Rows 4 to 7: the window, and what a revocation leaves of it. */
export function refuseMoment(
  key: Pick<TrustedKey, 'validFromMs' | 'validToMs' | 'revokedAtMs'>,
  at: Moment,
): KeyCode | null {
  const { timeMs, trustedMs } = at;
  if (timeMs !== null && (timeMs < key.validFromMs || timeMs > key.validToMs)) {
    return 'CLY_KEY_TIME';
  }
  if (key.revokedAtMs === null) {
    return null;
  }
  if ((timeMs !== null && timeMs >= key.revokedAtMs) || (trustedMs !== null && trustedMs >= key.revokedAtMs)) {
    return 'CLY_KEY_REVOKED';
  }
  return trustedMs === null ? 'CLY_KEY_REVOKED_UNDATED' : null;
}
