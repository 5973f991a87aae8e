// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { inspectRequest } from '@clyra/core/inspection/inspect-request';
import { preparePolicy } from '@clyra/core/inspection/policy-in-force';
import { compilePolicy } from '@clyra/core/policy/compile-policy';
import { PolicySource } from '@clyra/core/policy/policy-source';
import { codesOf, FoldScript, POLICY_DIGEST, type Step, TENANT } from '@clyra/testing/fold-script';
import { describe, expect, it } from '@jest/globals';
import { activationBody, activations } from './payloads.ts';

type Request = {
  readonly request: string;
  readonly key?: string;
  readonly target?: string;
  readonly method?: string;
  readonly body?: JsonObject;
  readonly tenant?: string;
  readonly actor?: string;
  readonly after_ms?: number;
  readonly outcome?: string;
};

type Case = {
  readonly name: string;
  readonly given?: readonly Request[];
  readonly when: Request;
  readonly then: { readonly decision: string; readonly codes?: readonly string[]; readonly grants?: readonly string[] };
};

type Table = {
  readonly defaults: Readonly<Record<string, { readonly target: string; readonly body: JsonObject }>>;
  readonly cases: readonly Case[];
};

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const { policy } = compilePolicy(read('policy.yaml'));
const { defaults, cases } = new PolicySource(read('cases.yaml')).value as unknown as Table;
/** Without parsers no statement can be judged: those cases run in the command line's tests. */
const table: Table = { defaults, cases: cases.filter(({ when }) => when.request !== 'statement') };
// The script knows its policy under one digest, whatever it says.
const inForce = preparePolicy({ digest: POLICY_DIGEST, policy });

/** The tenant's own decider, and before it the inspection that intake would make of each request. */
class Tenant {
  readonly #script = new FoldScript(policy);
  #serial = 0;

  async open(): Promise<this> {
    await this.#script.opened();
    return this;
  }

  send(request: Request): Promise<Step> {
    const given = table.defaults[request.request];
    const text = JSON.stringify(request.body ?? given?.body);
    return this.sendText(text, { target: given?.target ?? '', ...request });
  }

  async sendText(text: string, request: Omit<Request, 'request'> & { readonly target: string }): Promise<Step> {
    this.#serial += 1;
    this.#script.nowMs += request.after_ms ?? 0;
    const bytes = Buffer.from(text, 'utf8');
    const digest = digestOf(bytes);
    const { facts } = inspectRequest({
      method: request.method ?? 'POST',
      target: request.target,
      contentType: 'application/json',
      contentEncoding: null,
      idempotencyKeys: request.key === undefined ? [] : [`"${request.key}"`],
      claimedDigest: digest,
      body: { bytes, digest, size: bytes.length, tooLarge: false },
      credential: { id: 'key-1', tenant: TENANT, actors: ['*'] },
      tenant: request.tenant ?? TENANT,
      actor: request.actor ?? 'sync-bot',
      nonce: `nonce-${this.#serial}`,
      fingerprintKey: Buffer.alloc(32, 1),
      executionToken: `token-${this.#serial}`,
      policy: inForce,
    });
    const step = await this.#script.request(facts);
    if (request.outcome !== undefined) await this.#script.outcome(step.receipt['event_id'] as string, request.outcome);
    return step;
  }
}

describe('the demonstration policy', () => {
  it('has cases', () => {
    expect(table.cases.length).toBeGreaterThanOrEqual(22);
  });

  it.each(table.cases.map((one) => [one.name, one] as const))('%s', async (_name, { given = [], when, then }) => {
    const tenant = await new Tenant().open();
    for (const request of given) expect((await tenant.send(request)).receipt['decision']).toBe('allow');
    const step = await tenant.send(when);
    expect({ decision: step.receipt['decision'], codes: codesOf(step) }).toEqual({
      decision: then.decision,
      codes: then.codes ?? [],
    });
    const grants = (step.receipt['grants'] ?? []) as readonly { readonly relations: readonly string[] }[];
    expect(grants.flatMap(({ relations }) => relations)).toEqual(then.grants ?? []);
  });

  it('lets all 329 real payloads through', async () => {
    const tenant = await new Tenant().open();
    const payloads = activations();
    expect(payloads).toHaveLength(329);
    const refused: string[] = [];
    for (const [index, activation] of payloads.entries()) {
      const target = `/activations/${activation.event}`;
      const step = await tenant.sendText(activationBody(TENANT, activation), { target, key: `key-${index}` });
      if (step.receipt['decision'] !== 'allow') refused.push(`${index} ${activation.event}: ${codesOf(step).join()}`);
    }
    expect(refused).toEqual([]);
  });
});
