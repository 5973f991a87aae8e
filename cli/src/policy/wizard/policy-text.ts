// SPDX-License-Identifier: Apache-2.0
import type { RouteKind, WizardAnswers, WizardRoute } from './wizard-answers.ts';

type Named = WizardRoute & { readonly id: string };

/** A whole policy with a sentence before each section that says why it is there and what to change. */
export function policyText(answers: WizardAnswers): string {
  const routes = named(answers.routes);
  const of = (...kinds: RouteKind[]): readonly string[] =>
    routes.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id);
  const sections = [
    head(answers),
    routeLines(routes),
    idempotency(of('money', 'bulk', 'deploy')),
    fences(answers),
    rateLimits(answers, of),
    approvals(answers, of),
    protections(answers, of('money')),
    deploys(of('deploy')),
    breakers(),
    detectors(),
    keeping(answers),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** Ids from the fixed parts of paths, each once: they stand in receipts for years. */
export function named(routes: readonly WizardRoute[]): readonly Named[] {
  const taken = new Set<string>();
  return routes.map((route) => {
    const words = route.path.split('/').filter((part) => part !== '' && !part.startsWith('{'));
    const base = `${[...words, route.method.toLowerCase()].join('.').replaceAll(/[^A-Za-z0-9._-]/g, '-')}`;
    let id = /^[A-Za-z0-9]/.test(base) ? base : `r${base}`;
    for (let count = 2; taken.has(id); count += 1) id = `${base}-${count}`;
    taken.add(id);
    return { ...route, id };
  });
}

function head({ name, mode }: WizardAnswers): string[] {
  return [
    '# Written by `clyra policy wizard`. Check it with `clyra policy lint`, try cases with `clyra policy test`, and put it in',
    '# force with `clyra policy apply`: its author and another person sign. What no route here matches is blocked.',
    `name: "${name}"`,
    '# review: forward at once and record what would have been decided; gate: hold each request until it is decided.',
    `mode: ${mode}`,
  ];
}

function routeLines(routes: readonly Named[]): string[] {
  return [
    '# Each {part} of a path stands for exactly one segment. Upstreams are names in the configuration of intake. Give a route',
    '# a `schema` (see `schemas` in docs/reference/policy.md) and bodies that do not fit it are blocked.',
    'routes:',
    ...routes.flatMap(({ id, method, path, upstream }) => [
      `  - { id: ${id}, method: ${method}, path: "${path}", upstream: "${upstream}" }`,
    ]),
  ];
}

function idempotency(ids: readonly string[]): string[] {
  if (ids.length === 0) return [];
  return [
    '# A request that comes twice has one effect: each names an Idempotency-Key, remembered for a day.',
    'idempotency:',
    `  - { routes: [${ids.join(', ')}], required: true, ttl_seconds: 86400, mode: single_use }`,
  ];
}

function fences({ tenantIn }: WizardAnswers): string[] {
  return [
    '# Credential, headers and body must name the same tenant and actor.',
    'tenant_fences:',
    '  cross_check: true',
    ...(tenantIn === '' ? [] : [`  body_tenant: ${tenantIn}`]),
  ];
}

type ByKind = (...kinds: RouteKind[]) => readonly string[];

function rateLimits({ perHour, amount, currency, twoAbove }: WizardAnswers, of: ByKind): string[] {
  const counted = of('money', 'bulk');
  if (counted.length === 0) return [];
  const money = of('money');
  return [
    '# How often one actor may act in an hour, and how much money that may move.',
    'rate_limits:',
    `  - { id: per-actor, routes: [${counted.join(', ')}], key: actor, window_seconds: 3600, max_actions: ${perHour} }`,
    ...(money.length === 0
      ? []
      : [
          '  - id: amount-per-actor',
          `    routes: [${money.join(', ')}]`,
          '    key: actor',
          '    window_seconds: 3600',
          `    amount: { value: ${amount}, currency: ${currency} }`,
          `    max_amount: { "*": '${tenfold(twoAbove)}' }`,
        ]),
  ];
}

/** Ten of what two people would look at: a ceiling that normal work does not meet. */
function tenfold(decimal: string): string {
  const [whole = '0', fraction = ''] = decimal.split('.');
  const moved = `${whole}${fraction.slice(0, 1).padEnd(1, '0')}`.replace(/^0+(?=\d)/, '');
  const text = fraction.length > 1 ? `${moved}.${fraction.slice(1)}` : moved;
  return /^0(?:\.0*)?$/.test(text) ? '1000' : text;
}

function approvals({ amount, currency, approveAbove, twoAbove, idps, mfa }: WizardAnswers, of: ByKind): string[] {
  const [money, people] = [of('money'), of('bulk', 'deploy')];
  if (money.length + people.length === 0) return [];
  const proof = [
    `    mfa: ${mfa}`,
    `    grade_min: ${mfa ? 2 : 1}`,
    ...(idps.length === 0 ? [] : [`    idp_domains: [${[...new Set(idps)].join(', ')}]`]),
  ];
  return [
    '# People look at it first: the request waits (428) until they approve exactly it, and then goes through once.',
    '# grade_min 2 is a second factor, 3 one that cannot be phished. idp_domains: who may vouch for approvers.',
    'approvals:',
    ...(money.length === 0
      ? []
      : [
          '  - id: money-by-people',
          `    routes: [${money.join(', ')}]`,
          ...proof,
          `    amount: { value: ${amount}, currency: ${currency} }`,
          `    only_above: { "*": '${approveAbove}' }`,
          '    steps:',
          `      - { above: { "*": '${twoAbove}' }, quorum: 2 }`,
        ]),
    ...(people.length === 0
      ? []
      : ['  - id: by-a-person', `    routes: [${people.join(', ')}]`, '    quorum: 1', ...proof]),
  ];
}

function protections({ amount, currency, twoAbove }: WizardAnswers, money: readonly string[]): string[] {
  return [
    '# Switches that throw themselves, and come back after their time. An operator can stop everything by hand at any time.',
    'kill_switch:',
    "  - { id: failing, routes: '*', metric: error_rate, threshold: 0.1, window_seconds: 60, min_count: 20, scope: run, ttl_seconds: 300 }",
    ...(money.length === 0
      ? []
      : [
          '  - id: spending',
          `    routes: [${money.join(', ')}]`,
          '    metric: spend',
          `    threshold: '${tenfold(tenfold(twoAbove))}'`,
          '    window_seconds: 3600',
          '    scope: tenant',
          '    ttl_seconds: 3600',
          `    amount: { value: ${amount}, currency: ${currency} }`,
        ]),
  ];
}

function deploys(ids: readonly string[]): string[] {
  if (ids.length === 0) return [];
  return [
    '# Each commit once, not too many an hour, and not by its author.',
    'deploy:',
    `  - { id: deploys, routes: [${ids.join(', ')}], commit: /commit_sha, author: /author, unique: commit, max_per_hour: 12, segregation: true }`,
  ];
}

function breakers(): string[] {
  return [
    '# Loops of agents: too fast, or the same again and again.',
    'loop_breaker:',
    "  - { id: loops, routes: '*', actions_per_minute: 600, identical_repeats: 10, cool_off_seconds: 300 }",
  ];
}

function detectors(): string[] {
  return [
    '# Counted only (shadow). `clyra shadow` says what they would have blocked; then choose warn, hold or block.',
    'detectors:',
    "  - { id: texts, routes: '*', packs: [injection, social, technical, secrets], effect: shadow }",
  ];
}

function keeping({ breakGlass }: WizardAnswers): string[] {
  return [
    '# A held request is kept, encrypted, so that people see what they approve; nothing is kept afterwards.',
    'body_storage: { keep: while_held }',
    ...(breakGlass
      ? [
          '# In an emergency one operator may let a held request through; somebody else reviews it within a day.',
          'break_glass: { allowed: true, review_hours: 24 }',
        ]
      : []),
  ];
}
