// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import type { SignInWish } from '@clyra/core/ports/identity-provider';
import type { Random } from '@clyra/core/ports/random';
import { open, seal } from './sealed-box.ts';

/** A sign-in that was begun by somebody whom we do not know yet: the browser carries it, so it costs no memory here. */
export type BegunSignIn = {
  readonly provider: string;
  readonly wish: SignInWish;
  readonly codeVerifier: string;
  readonly returnTo: string;
  readonly untilMs: number;
};

const ABOUT = 'sign-in';

export function sealSignIn(key: KeyObject, begun: BegunSignIn, random: Random): string {
  return seal(key, Buffer.from(JSON.stringify(begun)), { about: ABOUT, random }).toString('base64url');
}

export function openSignIn(key: KeyObject, cookie: string | undefined, nowMs: number): BegunSignIn | undefined {
  const content = cookie === undefined ? undefined : open(key, Buffer.from(cookie, 'base64url'), ABOUT);
  if (content === undefined) return undefined;
  const begun = JSON.parse(content.toString('utf8')) as BegunSignIn;
  return begun.untilMs > nowMs ? begun : undefined;
}
