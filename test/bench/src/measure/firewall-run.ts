// SPDX-License-Identifier: Apache-2.0
import { createSecretKey, randomBytes } from 'node:crypto';
import { digestOf } from '@clyra/core/canonical/digest';
import type { ChangeRequested, Facts } from '@clyra/core/change/change-body';
import type { RequestContext } from '@clyra/core/enforcement/primitive';
import { PRIMITIVES } from '@clyra/core/enforcement/primitives';
import { StateTable } from '@clyra/core/enforcement/state-table';
import { type Analysers, type InspectionInput, inspectRequest } from '@clyra/core/inspection/inspect-request';
import { preparePolicy } from '@clyra/core/inspection/policy-in-force';
import { type Policy, routeById } from '@clyra/core/policy/policy';
import { ACTOR, type BenchRequest, TENANT } from '../world/firewall-rules.ts';

/** Inspection and primitives over the same requests, each timed alone; no log, no network, an empty state. */
export class FirewallRun {
  readonly #policy: Policy;
  readonly #inputs: readonly InspectionInput[];
  readonly #state = new StateTable();

  constructor(policy: Policy, requests: readonly BenchRequest[], analysers?: Analysers) {
    this.#policy = policy;
    const inForce = preparePolicy({ digest: digestOf('bench'), policy });
    const fingerprintKey = createSecretKey(randomBytes(32));
    this.#inputs = requests.map(({ target, headerTenant, body }, index) => {
      const bytes = Buffer.from(JSON.stringify(body));
      const digest = digestOf(bytes);
      return {
        method: 'POST',
        target,
        contentType: 'application/json',
        contentEncoding: null,
        idempotencyKeys: [`key-${index}`],
        claimedDigest: digest,
        body: { bytes, digest, size: bytes.length, tooLarge: false },
        credential: { id: 'key-1', tenant: TENANT, actors: [ACTOR] },
        tenant: headerTenant,
        actor: ACTOR,
        nonce: `nonce-${index}`,
        fingerprintKey,
        executionToken: 'token',
        policy: inForce,
        ...(analysers === undefined ? {} : { analysers }),
      };
    });
  }

  get bodyBytes(): number {
    return this.#inputs[0]?.body.size ?? 0;
  }

  get length(): number {
    return this.#inputs.length;
  }

  /** Milliseconds of inspection and of the primitives over its facts, and what was decided. */
  time(index: number): { readonly inspectionMs: number; readonly primitivesMs: number; readonly decision: string } {
    const startMs = performance.now();
    const { facts } = inspectRequest(this.#inputs[index] as InspectionInput);
    const inspectedMs = performance.now();
    const decision = this.#decide(facts);
    return { inspectionMs: inspectedMs - startMs, primitivesMs: performance.now() - inspectedMs, decision };
  }

  #decide(facts: Facts): string {
    const context: RequestContext = {
      change: requestWith(facts),
      facts,
      policy: this.#policy,
      route: routeById(this.#policy, facts.route),
      actor: ACTOR,
      nowMs: 1,
      receiptId: 'r',
      state: this.#state,
    };
    const effects = PRIMITIVES.flatMap((primitive) => primitive.evaluate(context).reasons.map(({ effect }) => effect));
    return effects.includes('block') ? 'block' : effects.includes('hold') ? 'hold' : 'allow';
  }
}

function requestWith(facts: Facts): ChangeRequested {
  return {
    v: 0,
    kind: 'change.requested',
    event_id: '01a22314-adf7-7610-b560-c5e79dd26bc4',
    intake: { instance: 'bench', epoch: 1 },
    intake_at: 1,
    tenant: TENANT,
    facts,
  };
}
