// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { Facts } from '@clyra/core/change/change-body';
import { compilePolicy } from '@clyra/core/policy/compile-policy';
import type { Policy } from '@clyra/core/policy/policy';
import { codesOf, FoldScript, SCRIPT_KEYS, type Step, TENANT } from './fold-script.ts';

/** One route without schema or key: what a primitive says is all that there is to see. */
const BASE = {
  name: 'firewall',
  routes: [
    { id: 'r', method: 'POST', path: '/r', upstream: 'u' },
    { id: 'q', method: 'POST', path: '/q', upstream: 'u' },
  ],
};

/** A tenant under a policy with the sections of one primitive. */
export class FirewallScript {
  readonly script: FoldScript;
  readonly policy: Policy;

  private constructor(policy: Policy) {
    this.policy = policy;
    this.script = new FoldScript(policy);
  }

  static async under(sections: object): Promise<FirewallScript> {
    const made = new FirewallScript(compilePolicy(JSON.stringify({ ...BASE, ...sections })).policy);
    await made.script.opened();
    return made;
  }

  /** A request of an actor on route `r`. */
  request(facts: Partial<Facts> = {}, members: JsonObject = {}, actor = 'bot'): Promise<Step> {
    return this.script.request(
      {
        route: 'r',
        schema: { id: null, verdict: 'not_required', errors: [] },
        idempotency: null,
        actors: [
          { from: 'credential', value: '*' },
          { from: 'header', value: actor },
        ],
        ...facts,
      },
      members,
    );
  }

  /** The decision, with the codes of its reasons. */
  async verdict(facts: Partial<Facts> = {}, members: JsonObject = {}, actor = 'bot'): Promise<string> {
    return verdictOf(await this.request(facts, members, actor));
  }

  outcome(step: Step, outcome: string): Promise<Step> {
    return this.script.outcome(step.receipt['event_id'] as string, outcome);
  }

  async openRun(runId: string): Promise<void> {
    const run = { run_id: runId, actor: 'bot', principal: 'key-1' };
    await this.script.append(this.script.body('run.opened', run));
  }

  wait(ms: number): void {
    this.script.nowMs += ms;
  }

  count(namespace: string): number {
    return this.script.fold.tenant(TENANT)?.table.count(namespace) ?? 0;
  }

  /** A certificate for a held request, as the human door would write it. */
  certificate(held: Step, members: JsonObject = {}): JsonObject {
    const facts = this.factsOf(held);
    const nonce = digestOf(`challenge ${this.script.steps.length} ${JSON.stringify(members)}`);
    return {
      approval_id: digestOf(`approval ${this.script.steps.length}`).slice(0, 32),
      of: held.receipt['event_id'] as string,
      route: facts.route,
      method: facts.method,
      target_digest: facts.target_digest,
      payload_hash: facts.canonical_digest ?? facts.payload_digest,
      requester: held.receipt['actor'] as string,
      challenge_nonce: nonce,
      proof: 'oidc',
      approver_sso_sub: '00u1',
      idp_domain: 'login.example.com',
      amr: ['pwd', 'hwk'],
      mfa: true,
      auth_time: this.script.nowMs - 1_000,
      expires_at: this.script.nowMs + 600_000,
      ...members,
    };
  }

  approve(held: Step, members: JsonObject = {}, signer = SCRIPT_KEYS.human): Promise<Step> {
    return this.script.command('approval.granted', this.certificate(held, members), [signer]);
  }

  /** The facts that the request of a step was decided on. */
  factsOf(step: Step): Facts {
    const envelope = this.script.envelopes[step.receipt['offset'] as number];
    return (JSON.parse(Buffer.from(envelope?.body ?? []).toString('utf8')) as { facts: Facts }).facts;
  }

  /** The same request once more: another event and nonce, everything else as it was. */
  repeat(step: Step, changes: Partial<Facts> = {}): Promise<Step> {
    const { nonce_digest: _nonce, ...same } = this.factsOf(step);
    return this.script.request({ ...same, ...changes });
  }
}

export function verdictOf(step: Step): string {
  const codes = codesOf(step);
  return [step.receipt['decision'] as string, ...codes].join(' ');
}
