// SPDX-License-Identifier: Apache-2.0
import { timingSafeEqual } from 'node:crypto';
import { digestOf } from '@clyra/core/canonical/digest';
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { SignInWish } from '@clyra/core/ports/identity-provider';
import type { Random } from '@clyra/core/ports/random';
import type { Person } from './person.ts';

/** An approval that was begun: the person is at the provider and comes back with the state. */
export type BegunApproval = {
  readonly tenant: string;
  readonly of: string;
  readonly approvalId: string;
  readonly requestBytes: Uint8Array;
  readonly wish: SignInWish;
  readonly codeVerifier: string;
  readonly untilMs: number;
};

/** What became of an approval, to be shown once the browser is back from the provider. */
export type ApprovalResult = { readonly tenant: string; readonly of: string; readonly receipt: DecidedBody };

export type Session = {
  readonly person: Person;
  /** Stands in every form: another site's page cannot know it. */
  readonly formToken: string;
  readonly startedAtMs: number;
  lastAtMs: number;
  readonly begun: Map<string, BegunApproval>;
  readonly begunAtMs: number[];
  readonly results: Map<string, ApprovalResult>;
};

export const SESSION_MS_MAX = 3_600_000;
export const SESSION_IDLE_MS_MAX = 900_000;
export const BEGUN_MS_MAX = 600_000;
const SESSIONS_MAX = 1_000;
const BEGUN_MAX = 5;
const RESULTS_MAX = 50;
/** How many sign-ins one person may be sent to in ten minutes: who is asked too often agrees to anything (T1621). */
const BEGUN_PER_WINDOW_MAX = 20;

/** Signed-in people, in memory: they sign in again when intake starts anew. Cookies carry a secret, the map its digest. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(parts: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The secret for the cookie. The longest idle session ends where there is no room. */
  start(person: Person): string {
    const nowMs = this.#clock.nowMs();
    for (const [key, session] of this.#sessions) if (isOver(session, nowMs)) this.#sessions.delete(key);
    if (this.#sessions.size >= SESSIONS_MAX) {
      const [idlest] = [...this.#sessions].sort(([, left], [, right]) => left.lastAtMs - right.lastAtMs);
      if (idlest !== undefined) this.#sessions.delete(idlest[0]);
    }
    const secret = this.#secret();
    this.#sessions.set(digestOf(secret), {
      person,
      formToken: this.#secret(),
      startedAtMs: nowMs,
      lastAtMs: nowMs,
      begun: new Map(),
      begunAtMs: [],
      results: new Map(),
    });
    return secret;
  }

  get(secret: string | undefined): Session | undefined {
    if (secret === undefined) return undefined;
    const key = digestOf(secret);
    const session = this.#sessions.get(key);
    const nowMs = this.#clock.nowMs();
    if (session === undefined) return undefined;
    if (isOver(session, nowMs)) {
      this.#sessions.delete(key);
      return undefined;
    }
    session.lastAtMs = nowMs;
    return session;
  }

  endOf(session: Session): void {
    for (const [key, known] of this.#sessions) if (known === session) this.#sessions.delete(key);
  }

  /** Throws CLY_HUMAN_RATE where the person was sent to the provider too often. */
  begin(session: Session, approval: BegunApproval): void {
    const nowMs = this.#clock.nowMs();
    const recent = session.begunAtMs.filter((atMs) => atMs > nowMs - BEGUN_MS_MAX);
    session.begunAtMs.splice(0, session.begunAtMs.length, ...recent, nowMs);
    if (recent.length >= BEGUN_PER_WINDOW_MAX) {
      throw new ClyraError('CLY_HUMAN_RATE', 'too many approvals were begun: wait ten minutes', { retry: 'backoff' });
    }
    if (session.begun.size >= BEGUN_MAX) session.begun.delete(session.begun.keys().next().value as string);
    session.begun.set(approval.wish.state, approval);
  }

  /** Once only: a second answer with the same state finds nothing. */
  take(session: Session, state: string): BegunApproval | undefined {
    const begun = session.begun.get(state);
    session.begun.delete(state);
    return begun === undefined || begun.untilMs <= this.#clock.nowMs() ? undefined : begun;
  }

  note(session: Session, approvalId: string, result: ApprovalResult): void {
    if (session.results.size >= RESULTS_MAX) session.results.delete(session.results.keys().next().value as string);
    session.results.set(approvalId, result);
  }

  #secret(): string {
    return Buffer.from(this.#random.bytes(32)).toString('base64url');
  }
}

function isOver(session: Session, nowMs: number): boolean {
  return session.startedAtMs + SESSION_MS_MAX <= nowMs || session.lastAtMs + SESSION_IDLE_MS_MAX <= nowMs;
}

export function isSameSecret(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(digestOf(left)), Buffer.from(digestOf(right))];
  return timingSafeEqual(one, other);
}
