// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';

/** What a route moves decides which rules it gets. */
export const ROUTE_KINDS = ['plain', 'money', 'bulk', 'deploy'] as const;
export type RouteKind = (typeof ROUTE_KINDS)[number];

export type WizardRoute = {
  readonly method: string;
  readonly path: string;
  readonly upstream: string;
  readonly kind: RouteKind;
};

export type WizardAnswers = {
  readonly name: string;
  readonly mode: 'gate' | 'review';
  readonly routes: readonly WizardRoute[];
  /** JSON pointer to the tenant in bodies; empty where bodies name none. */
  readonly tenantIn: string;
  /** JSON pointer to the amount, and the currency: a pointer or a code. */
  readonly amount: string;
  readonly currency: string;
  /** Decimals: nobody is asked up to the first, two people above the second. */
  readonly approveAbove: string;
  readonly twoAbove: string;
  readonly idps: readonly string[];
  readonly mfa: boolean;
  readonly perHour: number;
  readonly breakGlass: boolean;
};

export const DEFAULTS: Omit<WizardAnswers, 'name' | 'routes'> = {
  mode: 'review',
  tenantIn: '',
  amount: '/amount',
  currency: '/currency',
  approveAbove: '100',
  twoAbove: '5000',
  idps: [],
  mfa: true,
  perHour: 60,
  breakGlass: false,
};

const METHOD = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/;
const PATH = /^\/[A-Za-z0-9._~:@!$&'()*+,;={}/-]*$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const UPSTREAM = /^[a-z0-9][a-z0-9-]{0,62}$/;
const POINTER = /^(?:\/[^/"'\\\s]{1,64}){1,8}$/;
const DECIMAL = /^(?:0|[1-9]\d{0,11})(?:\.\d{1,6})?$/;
const CURRENCY = /^[A-Z]{3}$/;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/;

/** `POST /refunds/{id} crm money`; the kind may be left out. Throws CLY_CLI_ARGUMENT that says what is wrong. */
export function readRoute(text: string): WizardRoute {
  const [method = '', path = '', upstream = '', kind = 'plain', ...rest] = text.trim().split(/\s+/);
  const isKind = (ROUTE_KINDS as readonly string[]).includes(kind);
  if (!METHOD.test(method) || !PATH.test(path) || !UPSTREAM.test(upstream) || !isKind || rest.length > 0) {
    throw wrong(
      `${text}: write METHOD /path upstream [${ROUTE_KINDS.join('|')}], such as POST /refunds/{id} crm money`,
    );
  }
  return { method, path, upstream, kind: kind as RouteKind };
}

export const READERS = {
  name: (text: string): string => matching(text, NAME, 'a name of letters, digits, ., _ and -'),
  mode: (text: string): WizardAnswers['mode'] =>
    matching(text, /^(?:gate|review)$/, 'gate or review') as WizardAnswers['mode'],
  tenantIn: (text: string): string => (text === '' ? '' : pointer(text)),
  amount: pointer,
  currency: (text: string): string => (CURRENCY.test(text) ? text : pointer(text)),
  decimal: (text: string): string => matching(text, DECIMAL, 'a decimal such as 100 or 99.50'),
  idps: (text: string): string[] =>
    text
      .split(/[\s,]+/)
      .filter((one) => one !== '')
      .map((one) => matching(one, DOMAIN, 'a domain in lower case')),
  flag: (text: string): boolean => matching(text.toLowerCase(), /^(?:y|yes|n|no)$/, 'yes or no').startsWith('y'),
  count: (text: string): number => Number(matching(text, /^[1-9]\d{0,4}$/, 'a whole number above 0')),
};

function pointer(text: string): string {
  return matching(text, POINTER, 'a JSON pointer such as /order/amount');
}

function matching(text: string, pattern: RegExp, what: string): string {
  if (pattern.test(text)) return text;
  throw wrong(`${text === '' ? 'nothing' : text} is not ${what}`);
}

function wrong(message: string): ClyraError {
  return new ClyraError('CLY_CLI_ARGUMENT', message, { retry: 'never' });
}
