// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { TENANT, UUID } from '@clyra/core/change/shape';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Logger } from '@clyra/core/ports/logger';
import type { GatewayAnswer, GatewayRequest } from '../gateway/gateway-request.ts';
import { shapeFault } from '../gateway/request-shape.ts';
import { statusOfCode } from '../http-status.ts';
import type { ApprovalDesk, ApprovalDeskParts, Provider } from './approval-desk.ts';
import { changedNote, changePage, displayDigest } from './change-page.ts';
import { type ViewParts, viewOf } from './change-view.ts';
import { Cookies } from './cookies.ts';
import { type DoorAnswer, seeOther, shownPage, toGatewayAnswer } from './door-answer.ts';
import type { Html } from './html.ts';
import { emergenciesPage, listPage, problemPage, resultPage, signInPage } from './pages.ts';
import { personOf } from './person.ts';
import { wordsFor } from './refusal-words.ts';
import { isSameSecret, type Session, type Sessions } from './sessions.ts';
import { openSignIn, sealSignIn } from './sign-in-cookie.ts';
import { STYLE } from './style.ts';

export type HumanDoorParts = ViewParts &
  Pick<ApprovalDeskParts, 'random' | 'redirectUri'> & {
    readonly clock: ApprovalDeskParts['clock'];
    readonly publicUrl: string;
    readonly providers: ReadonlyMap<string, Provider>;
    readonly sessions: Sessions;
    readonly desk: ApprovalDesk;
    readonly cookieKey: KeyObject;
    readonly logger: Logger;
  };

const FORM_BYTES_MAX = 16_384;
const SIGN_IN_MS_MAX = 600_000;
const RETURN = /^\/(?:|emergencies|changes\/[a-z0-9-]{1,63}\/[0-9a-f-]{36})$/;
const CHANGE = /^\/changes\/([^/]+)\/([^/]+)(?:\/(approve|revoke))?$/;
const RESULT = /^\/approvals\/([0-9a-f]{32})$/;

type Visit = {
  readonly request: GatewayRequest;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly session: Session | undefined;
};

/** Pages for people: what waits, exactly what it is, and one button. Works without a script and by keyboard alone. */
export class HumanDoor {
  readonly #parts: HumanDoorParts;
  readonly #cookies: Cookies;

  constructor(parts: HumanDoorParts) {
    this.#parts = parts;
    this.#cookies = new Cookies(parts.publicUrl);
  }

  /** Never rejects for anything that a browser, a provider or the log does. */
  async handle(request: GatewayRequest): Promise<GatewayAnswer> {
    const [path = '', query = ''] = request.target.split('?', 2);
    if (path === '/style.css' && request.method === 'GET') return styleAnswer();
    const secret = this.#cookies.read(request.headers, 'session');
    const session = this.#parts.sessions.get(secret);
    const visit = { request, path, query: new URLSearchParams(query), session };
    const answer = await this.#answer(visit).catch((error: unknown) => this.#problem(error, session));
    return toGatewayAnswer(answer, await this.#formOrigins());
  }

  async #answer(visit: Visit): Promise<DoorAnswer> {
    const { request, path } = visit;
    const fault = shapeFault(request);
    if (fault !== undefined) throw refused(fault as `CLY_${string}`, 'the request is malformed');
    if (request.method === 'GET' && path === '/callback') return this.#callback(visit);
    if (request.method === 'POST') return this.#post(visit, await this.#form(request));
    if (request.method !== 'GET') throw refused('CLY_REQUEST_METHOD', 'only GET and POST mean something here');
    if (visit.session === undefined) return this.#signIn(RETURN.test(path) ? path : '/');
    return this.#get(visit, visit.session);
  }

  async #get({ path }: Visit, session: Session): Promise<DoorAnswer> {
    const { index, clock } = this.#parts;
    const { tenants } = session.person;
    const nowMs = clock.nowMs();
    if (path === '/') return shownPage('Waiting', listPage(index.list(tenants, nowMs), nowMs), { session });
    if (path === '/emergencies')
      return shownPage('Emergencies', emergenciesPage(index.emergencies(tenants), nowMs), { session });
    const result = session.results.get(RESULT.exec(path)?.[1] ?? '');
    if (result !== undefined) {
      const held = index.get(result.tenant, result.of, nowMs);
      return shownPage('Recorded', resultPage(result, held, nowMs), { session });
    }
    const [, tenant = '', of = '', action] = CHANGE.exec(path) ?? [];
    if (action !== undefined || !UUID.test(of)) throw refused('CLY_HUMAN_PAGE', 'there is no such page');
    return this.#change(session, { tenant, of });
  }

  async #post({ path, session }: Visit, form: URLSearchParams): Promise<DoorAnswer> {
    if (path === '/sign-in') return this.#beginSignIn(form);
    if (session === undefined) return this.#signIn('/');
    if (!isSameSecret(form.get('token') ?? '', session.formToken)) {
      throw refused('CLY_HUMAN_FORGED', 'the form is not one that was made for you: open the page again');
    }
    if (path === '/sign-out') return this.#signOut(session);
    const [, tenant = '', of = '', action] = CHANGE.exec(path) ?? [];
    if (action === 'approve') return this.#beginApproval(session, { tenant, of, shown: form.get('shown') ?? '' });
    if (action === 'revoke') return this.#revoke(session, { tenant, of, approvalId: form.get('approval') ?? '' });
    throw refused('CLY_HUMAN_PAGE', 'there is no such page');
  }

  async #change(session: Session, of: { tenant: string; of: string }, problem?: Html): Promise<DoorAnswer> {
    const view = await viewOf(this.#parts, this.#allowed(session, of.tenant), of.of);
    const providerTitle = this.#providerOf(session.person.provider).settings.title;
    const nowMs = this.#parts.clock.nowMs();
    const main = changePage({ view, session, providerTitle, nowMs, problem });
    return shownPage('Approve?', main, { session });
  }

  async #beginSignIn(form: URLSearchParams): Promise<DoorAnswer> {
    const { random, clock, redirectUri, cookieKey } = this.#parts;
    const provider = this.#providerOf(form.get('provider') ?? '');
    const returnTo = RETURN.test(form.get('return') ?? '') ? String(form.get('return')) : '/';
    const hex = (): string => Buffer.from(random.bytes(32)).toString('hex');
    const wish = { state: hex(), nonce: hex(), redirectUri };
    const { url, codeVerifier } = await provider.identity.begin(wish);
    const untilMs = clock.nowMs() + SIGN_IN_MS_MAX;
    const begun = { provider: provider.settings.name, wish, codeVerifier, returnTo, untilMs };
    const cookie = sealSignIn(cookieKey, begun, random);
    return seeOther(url, [this.#cookies.set('signin', cookie, SIGN_IN_MS_MAX / 1_000)]);
  }

  async #beginApproval(session: Session, asked: { tenant: string; of: string; shown: string }): Promise<DoorAnswer> {
    const { desk, sessions } = this.#parts;
    const view = await viewOf(this.#parts, this.#allowed(session, asked.tenant), asked.of);
    const display = displayDigest(view);
    if (asked.shown !== display) return this.#change(session, asked, changedNote());
    const { approval, url } = await desk.begin(view, this.#providerOf(session.person.provider), display);
    sessions.begin(session, approval);
    return seeOther(url);
  }

  /** The browser is back: from an approval that this session began, or from a first sign-in. */
  async #callback({ request, query, session }: Visit): Promise<DoorAnswer> {
    const state = query.get('state') ?? '';
    const callbackUrl = `${this.#parts.publicUrl}${request.target}`;
    const begun = session === undefined ? undefined : this.#parts.sessions.take(session, state);
    if (session !== undefined && begun !== undefined) {
      const provider = this.#providerOf(session.person.provider);
      const receipt = await this.#parts.desk.finish(session, begun, { provider, callbackUrl });
      this.#parts.sessions.note(session, begun.approvalId, { tenant: begun.tenant, of: begun.of, receipt });
      return seeOther(`/approvals/${begun.approvalId}`);
    }
    const cookie = this.#cookies.read(request.headers, 'signin');
    const first = openSignIn(this.#parts.cookieKey, cookie, this.#parts.clock.nowMs());
    if (first === undefined || first.wish.state !== state) {
      throw refused(
        'CLY_HUMAN_STATE',
        'this sign-in was not begun here, was used before, or took too long: start again',
      );
    }
    const { settings, identity } = this.#providerOf(first.provider);
    const signedIn = await identity.finish(callbackUrl, first.wish, first.codeVerifier);
    const secret = this.#parts.sessions.start(personOf(signedIn, settings));
    return seeOther(first.returnTo, [this.#cookies.set('session', secret, 3_600), this.#cookies.clear('signin')]);
  }

  async #revoke(session: Session, asked: { tenant: string; of: string; approvalId: string }): Promise<DoorAnswer> {
    const { index, clock, desk, sessions } = this.#parts;
    const { domain, subject } = session.person;
    const held = index.get(this.#allowed(session, asked.tenant), asked.of, clock.nowMs());
    const own = held?.approvals.find(
      ({ id, approver }) => id === asked.approvalId && approver === `${domain}|${subject}`,
    );
    if (held === undefined || own === undefined)
      throw refused('CLY_HUMAN_NOT_YOURS', 'you have no such approval to take back');
    const receipt = await desk.revoke(session, held, own.id);
    sessions.note(session, own.id, { tenant: held.tenant, of: held.of, receipt });
    return seeOther(`/approvals/${own.id}`);
  }

  #signIn(returnTo: string): DoorAnswer {
    return shownPage('Sign in', signInPage([...this.#parts.providers.values()], returnTo));
  }

  #signOut(session: Session): DoorAnswer {
    this.#parts.sessions.endOf(session);
    return seeOther('/', [this.#cookies.clear('session')]);
  }

  /** The tenant's name, where this person may see its changes; a stranger learns no more than that there is nothing. */
  #allowed({ person }: Session, tenant: string): string {
    const isTheirs = person.tenants.includes('*') || person.tenants.includes(tenant);
    if (isTheirs && TENANT.test(tenant)) return tenant;
    throw refused('CLY_APPROVAL_UNKNOWN', 'nothing waits for approval under this id');
  }

  #providerOf(name: string): Provider {
    const provider = this.#parts.providers.get(name);
    if (provider === undefined) throw refused('CLY_HUMAN_PROVIDER', 'there is no such identity provider here');
    return provider;
  }

  /** A form of another site arrives with that site's name, or without our page's token; both are looked at. */
  async #form(request: GatewayRequest): Promise<URLSearchParams> {
    const origin = request.headers.one('origin');
    const site = request.headers.one('sec-fetch-site');
    const isForeign =
      (origin !== undefined && origin !== this.#parts.publicUrl) || (site !== undefined && site !== 'same-origin');
    if (isForeign) throw refused('CLY_HUMAN_FORGED', 'the form was sent from another site');
    const type = request.headers.one('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/x-www-form-urlencoded') throw refused('CLY_BODY_MEDIA_TYPE', 'send a form');
    const body = await request.readBody(FORM_BYTES_MAX);
    if (body.tooLarge) throw refused('CLY_BODY_TOO_LARGE', `a form has at most ${FORM_BYTES_MAX} bytes`);
    return new URLSearchParams(Buffer.from(body.bytes).toString('utf8'));
  }

  #problem(error: unknown, session: Session | undefined): DoorAnswer {
    if (!(error instanceof ClyraError)) throw error;
    this.#parts.logger.info('the human door refused', { code: error.code });
    const { status, title } = statusOfCode(error.code);
    const words = wordsFor(error.code) === title ? `${sentence(error.message)}.` : wordsFor(error.code);
    return shownPage(title, problemPage(title, error.code, words), { session, status });
  }

  /** A provider that does not answer now is left out: its forms cannot be sent anyway. */
  async #formOrigins(): Promise<readonly string[]> {
    const asked = [...this.#parts.providers.values()].map(({ identity }) =>
      identity.authorizationOrigin().catch(ignored),
    );
    return [...new Set((await Promise.all(asked)).filter((origin) => origin !== undefined))];
  }
}

function ignored(error: unknown): undefined {
  if (!(error instanceof ClyraError)) throw error;
  return undefined;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function styleAnswer(): GatewayAnswer {
  const headers = {
    'content-type': 'text/css; charset=utf-8',
    'cache-control': 'max-age=300',
    'x-content-type-options': 'nosniff',
  };
  return { status: 200, headers, body: STYLE };
}

function refused(code: `CLY_${string}`, message: string): ClyraError {
  return new ClyraError(code, message, { retry: 'never' });
}
