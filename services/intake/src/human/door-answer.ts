// SPDX-License-Identifier: Apache-2.0
import type { AnswerHeaders, GatewayAnswer } from '../gateway/gateway-request.ts';
import type { Html } from './html.ts';
import { documentOf, type Page } from './page-frame.ts';

/** `formOrigins`: where a form of ours may end up; Chromium holds that against redirects too. */
export function doorHeaders(formOrigins: readonly string[]): Record<string, string> {
  const forms = ["'self'", ...formOrigins].join(' ');
  return {
    'content-security-policy': `default-src 'none'; style-src 'self'; form-action ${forms}; base-uri 'none'; frame-ancestors 'none'`,
    'cache-control': 'no-store',
    // Not no-referrer: with that, browsers send `Origin: null` with our own forms.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  };
}

export type DoorAnswer = {
  readonly status: number;
  readonly page?: Page;
  /** Another address of this door, or of a provider. */
  readonly location?: string;
  readonly cookies?: readonly string[];
};

export function shownPage(
  title: string,
  main: Html,
  more: Omit<Page, 'title' | 'main'> & { status?: number } = {},
): DoorAnswer {
  const { status = 200, ...rest } = more;
  return { status, page: { title, main, ...rest } };
}

export function seeOther(location: string, cookies: readonly string[] = []): DoorAnswer {
  return { status: 303, location, cookies };
}

export function toGatewayAnswer(
  { status, page, location, cookies = [] }: DoorAnswer,
  formOrigins: readonly string[],
): GatewayAnswer {
  const headers: AnswerHeaders = {
    ...doorHeaders(formOrigins),
    ...(page === undefined ? {} : { 'content-type': 'text/html; charset=utf-8' }),
    ...(location === undefined ? {} : { location }),
    ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }),
  };
  return { status, headers, body: page === undefined ? '' : documentOf(page) };
}
