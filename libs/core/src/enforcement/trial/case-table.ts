// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../../canonical/json-value.ts';
import { type Finding, PolicyCursor } from '../../policy/policy-cursor.ts';
import { inOrder, PolicyError } from '../../policy/policy-problem.ts';
import { PolicySource } from '../../policy/policy-source.ts';

/** One request of a table. What it does not say comes from the defaults of its name, and then from the tenant’s own. */
export type CaseRequest = {
  readonly method: string;
  readonly target: string;
  readonly body: JsonValue | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly key: string | undefined;
  readonly tenant: string | undefined;
  readonly actor: string;
  /** How long after the request before it. */
  readonly after_ms: number;
  /** What came of it, once it was allowed: done, failed, not_forwarded. Without it, it is under way. */
  readonly outcome: string | undefined;
  /** Approved by so many people, if it is held, and sent again. */
  readonly approvals: number;
};

export type PolicyCase = {
  readonly name: string;
  readonly line: number;
  readonly given: readonly CaseRequest[];
  readonly when: CaseRequest;
  readonly then: {
    readonly decision: string;
    readonly codes: readonly string[] | undefined;
    readonly grants: readonly string[] | undefined;
  };
};

const REQUEST = [
  'request',
  'method',
  'target',
  'body',
  'headers',
  'key',
  'tenant',
  'actor',
  'after_ms',
  'outcome',
  'approvals',
];
const TEXT = { pattern: /^[^\u0000]{1,2048}$/, what: 'a text' };
const WORD = { pattern: /^[^\u0000-\u001f]{1,256}$/, what: 'a word' };
const METHOD = { pattern: /^[A-Z]{3,10}$/, what: 'a method such as POST' };
const OUTCOME = { pattern: /^(?:done|failed|not_forwarded)$/, what: 'done, failed or not_forwarded' };
const CODE = { pattern: /^CLY_[A-Z0-9_]{1,60}$/, what: 'a reason code' };

/** Reads a table of cases. Throws PolicyError that lists every problem with its line and column. */
export function readCases(yaml: string): PolicyCase[] {
  const source = new PolicySource(yaml);
  const findings: Finding[] = [...source.findings];
  const table = new PolicyCursor(source.value, '', findings);
  table.objectOf(['defaults', 'cases']);
  const defaults = isJsonObject(table.member('defaults').value) ? (table.member('defaults').value as JsonObject) : {};
  const cases = table.items('cases').map((one): PolicyCase => {
    one.objectOf(['name', 'given', 'when', 'then']);
    const then = one.member('then');
    then.objectOf(['decision', 'codes', 'grants']);
    const place = source.problemOf({ pointer: one.pointer, message: '' }).place;
    return {
      name: one.text('name', TEXT),
      line: place?.line ?? 0,
      given: one.items('given').map((given) => readRequest(given, defaults)),
      when: readRequest(one.member('when'), defaults),
      // The word is that of the tables; nobody awaits a case.
      // biome-ignore lint/suspicious/noThenProperty: given, when, then
      then: {
        decision: then.oneOf('decision', ['allow', 'hold', 'block']),
        codes: then.member('codes').isAbsent() ? undefined : then.textsOrNone('codes', CODE),
        grants: then.member('grants').isAbsent() ? undefined : then.textsOrNone('grants', WORD),
      },
    };
  });
  if (cases.length === 0) table.report('cases is missing: write a list of cases');
  if (findings.length > 0) throw new PolicyError(inOrder(findings.map((finding) => source.problemOf(finding))));
  return cases;
}

function readRequest(request: PolicyCursor, defaults: JsonObject): CaseRequest {
  if (!request.objectOf(REQUEST)) return NOTHING;
  const name = request.textOrNull('request', WORD);
  const known = name === null ? undefined : defaults[name];
  if (name !== null && !isJsonObject(known)) request.member('request').report('no defaults have this name');
  const base: JsonObject = isJsonObject(known) ? known : {};
  const merged = new PolicyCursor({ ...base, ...(request.value as JsonObject) }, request.pointer, []);
  // The request's own members are judged at their place; the defaults are judged where they are used.
  for (const member of ['target', 'key', 'tenant', 'actor'] as const) request.textOrNull(member, TEXT);
  return {
    method: request.text('method', { ...METHOD, fallback: (base['method'] as string | undefined) ?? 'POST' }),
    target: textOf(request, merged.member('target').value, 'target'),
    body: merged.member('body').value,
    headers: headersOf(merged),
    key: merged.textOrNull('key', TEXT) ?? undefined,
    tenant: merged.textOrNull('tenant', WORD) ?? undefined,
    actor: merged.textOrNull('actor', WORD) ?? 'sync-bot',
    after_ms: request.integer('after_ms', { min: 0, max: 31_536_000_000, fallback: 0 }),
    outcome: request.textOrNull('outcome', OUTCOME) ?? undefined,
    approvals: request.integer('approvals', { min: 0, max: 8, fallback: 0 }),
  };
}

const NOTHING: CaseRequest = {
  method: 'POST',
  target: '/',
  body: undefined,
  headers: {},
  key: undefined,
  tenant: undefined,
  actor: 'sync-bot',
  after_ms: 0,
  outcome: undefined,
  approvals: 0,
};

function textOf(request: PolicyCursor, value: JsonValue | undefined, name: string): string {
  if (typeof value === 'string' && value.startsWith('/')) return value;
  request.report(`${name} is missing: write the path, as /refunds`);
  return '/';
}

function headersOf(request: PolicyCursor): Record<string, string> {
  return Object.fromEntries(
    request
      .entries('headers', { pattern: /^[a-z0-9-]{1,64}$/, what: 'header names in lower case' })
      .map(([name, cursor]) => [name, String(cursor.value)]),
  );
}
