// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../../canonical/digest.ts';
import type { JsonObject } from '../../canonical/json-value.ts';
import type { ChangeBody, Facts } from '../../change/change-body.ts';
import { type Analysers, type InspectionInput, inspectRequest } from '../../inspection/inspect-request.ts';
import { type PolicyInForce, preparePolicy } from '../../inspection/policy-in-force.ts';
import { parseTarget } from '../../inspection/request-target.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import { payloadHash } from '../approvals/pending-approval.ts';
import type { CaseRequest, PolicyCase } from './case-table.ts';
import { PolicyTrial } from './policy-trial.ts';

export type CaseResult = {
  readonly name: string;
  readonly line: number;
  readonly passed: boolean;
  readonly expected: string;
  readonly found: string;
};

export type CasesRun = {
  readonly results: readonly CaseResult[];
  /** Routes and rules that no case has touched: nothing is known about them. */
  readonly untouched: readonly string[];
};

const TENANT = 'acme';
const OPENED_AT_MS = 1_750_000_000_000;

/**
 * Runs each case in a tenant of its own, through the very inspection and decider of the services. Without analysers a
 * route that asks for SQL or detectors blocks, as it would in an intake that has none.
 */
export function runCases(compiled: CompiledPolicy, cases: readonly PolicyCase[], analysers?: Analysers): CasesRun {
  const inForce = preparePolicy(compiled);
  const touched = new Set<string>();
  const results = cases.map((one) => {
    const tenant = new CaseTenant(compiled, inForce, analysers);
    const refused = one.given.map((request) => tenant.send(request)).find((body) => body['decision'] !== 'allow');
    const body = tenant.send(one.when);
    for (const name of tenant.touched) touched.add(name);
    return judged(one, body, refused);
  });
  const { policy } = compiled;
  const named = [
    ...policy.routes.map(({ id }) => `routes/${id}`),
    ...(['rate_limits', 'approvals', 'sql_safety', 'voice', 'deploy', 'loop_breaker', 'cost_caps'] as const).flatMap(
      (section) => policy[section].map(({ id }) => `${section}/${id}`),
    ),
  ];
  return { results, untouched: named.filter((name) => !touched.has(name)) };
}

function judged(one: PolicyCase, body: JsonObject, refused: JsonObject | undefined): CaseResult {
  const { decision, codes, grants } = one.then;
  const found = { decision: body['decision'] as string, codes: codesOf(body), grants: grantsOf(body) };
  type Told = { readonly decision: string; readonly codes: readonly string[]; readonly grants: readonly string[] };
  const parts = (value: Told, all: boolean): string =>
    [
      value.decision,
      ...(all || codes !== undefined ? value.codes : []),
      ...(grants === undefined ? [] : value.grants),
    ].join(' ');
  const expected = parts({ decision, codes: codes ?? [], grants: grants ?? [] }, false);
  const asked = parts(found, false);
  if (refused !== undefined) {
    const seen = `a given request was not allowed: ${codesOf(refused).join(' ')}`;
    return { name: one.name, line: one.line, passed: false, expected, found: seen };
  }
  // Who reads of a failure wants to know why it was decided so, also where the case names no codes.
  const passed = asked === expected;
  return { name: one.name, line: one.line, passed, expected, found: passed ? asked : parts(found, true) };
}

function codesOf(body: JsonObject): string[] {
  return ((body['reasons'] ?? []) as readonly { readonly code: string }[]).map(({ code }) => code);
}

function grantsOf(body: JsonObject): string[] {
  const grants = (body['grants'] ?? []) as readonly { readonly relations: readonly string[] }[];
  return grants.flatMap(({ relations }) => relations);
}

class CaseTenant {
  readonly touched = new Set<string>();
  readonly #trial: PolicyTrial;
  readonly #inForce: PolicyInForce;
  readonly #analysers: Analysers | undefined;
  #nowMs = OPENED_AT_MS;
  #serial = 0;

  constructor(compiled: CompiledPolicy, inForce: PolicyInForce, analysers: Analysers | undefined) {
    this.#trial = new PolicyTrial(compiled.policy, { name: TENANT, openedAtMs: OPENED_AT_MS });
    this.#inForce = inForce;
    this.#analysers = analysers;
  }

  send(request: CaseRequest): JsonObject {
    this.#nowMs += request.after_ms;
    let sent = this.#ask(request);
    for (let count = 0; count < request.approvals && sent.body['decision'] === 'hold'; count += 1) {
      this.#approve(sent.facts, sent.body, count);
      sent = this.#ask(request);
    }
    if (request.outcome !== undefined && sent.body['decision'] === 'allow') {
      this.#answer('change.outcome', { of: sent.body['event_id'], outcome: request.outcome });
    }
    return sent.body;
  }

  #ask(request: CaseRequest): { readonly facts: Facts; readonly body: JsonObject } {
    const text = request.body === undefined ? '' : JSON.stringify(request.body);
    const bytes = Buffer.from(text, 'utf8');
    const digest = digestOf(bytes);
    const { facts } = inspectRequest({
      method: request.method,
      target: request.target,
      contentType: bytes.length === 0 ? null : 'application/json',
      contentEncoding: null,
      idempotencyKeys: request.key === undefined ? [] : [`"${request.key}"`],
      claimedDigest: bytes.length === 0 ? null : digest,
      body: { bytes, digest, size: bytes.length, tooLarge: false },
      credential: { id: 'key-1', tenant: TENANT, actors: ['*'] },
      tenant: request.tenant ?? TENANT,
      actor: request.actor,
      headers: (name) => (request.headers[name] === undefined ? [] : [request.headers[name]]),
      nonce: `nonce-${this.#serial}`,
      fingerprintKey: Buffer.alloc(32, 1),
      executionToken: `token-${this.#serial}`,
      policy: this.#inForce,
      ...(this.#analysers === undefined ? {} : { analysers: this.#analysers }),
      ...this.#delivery(request),
    });
    const body = this.#answer('change.requested', { facts: facts as unknown as JsonObject });
    if (facts.route !== null) this.touched.add(`routes/${facts.route}`);
    for (const { rule } of (body['reasons'] ?? []) as readonly { readonly rule: string }[]) this.touched.add(rule);
    return { facts, body };
  }

  /** On a route for deliveries each request is one, as if its vendor had proved it. */
  #delivery({ method, target }: CaseRequest): Pick<InspectionInput, 'delivery'> {
    const path = parseTarget(target)?.path;
    const adapter = path === undefined ? undefined : this.#inForce.routes.match(method, path)?.adapter;
    return adapter === undefined ? {} : { delivery: { kind: adapter, fault: null } };
  }

  /** Somebody at the human door approves what is held. */
  #approve(facts: Facts, body: JsonObject, count: number): void {
    const unique = `${this.#serial} ${count}`;
    const held = body['approval'] as JsonObject;
    this.#command('approval.granted', {
      approval_id: digestOf(`approval ${unique}`).slice(0, 32),
      of: held['of'],
      route: facts.route,
      method: facts.method,
      target_digest: facts.target_digest,
      payload_hash: payloadHash(facts),
      requester: body['actor'],
      challenge_nonce: digestOf(`challenge ${unique}`),
      proof: 'oidc',
      approver_sso_sub: `approver-${count}`,
      idp_domain: this.#idpFor(facts.route ?? ''),
      amr: ['pwd', 'hwk'],
      mfa: true,
      auth_time: this.#nowMs,
    });
  }

  #idpFor(routeId: string): string {
    const rules = this.#trial.policy.approvals.filter(({ routes }) => routes.includes(routeId) || routes.includes('*'));
    return rules.flatMap(({ idp_domains: domains }) => domains)[0] ?? 'login.example.com';
  }

  #command(kind: string, members: JsonObject): void {
    const command: JsonObject = {
      kind,
      tenant: TENANT,
      issued_at: this.#nowMs,
      expires_at: this.#nowMs + 600_000,
      subject: 'first',
      replaces: null,
      ...members,
    };
    this.#answer(kind, { command, signatures: [] });
  }

  #answer(kind: string, members: JsonObject): JsonObject {
    this.#serial += 1;
    const change: JsonObject = {
      v: 0,
      kind,
      tenant: TENANT,
      event_id: `00000000-0000-7000-8000-${String(this.#serial).padStart(12, '0')}`,
      intake: { instance: 'trial', epoch: 1 },
      intake_at: this.#nowMs,
      ...members,
    };
    return this.#trial.answer({ change: change as unknown as ChangeBody, appendTimeMs: this.#nowMs });
  }
}
