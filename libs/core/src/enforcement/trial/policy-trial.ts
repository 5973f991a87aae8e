// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../../canonical/digest.ts';
import type { JsonObject } from '../../canonical/json-value.ts';
import { encodeRecord } from '../../canonical/record.ts';
import type { ChangeBody } from '../../change/change-body.ts';
import { receiptIdOf } from '../../change/links.ts';
import { policyBytes } from '../../policy/compile-policy.ts';
import type { Policy } from '../../policy/policy.ts';
import { ROLES } from '../../signing/trust-root.ts';
import type { CommandSigner } from '../decide-input.ts';
import { ENGINE_1 } from '../limits.ts';
import { advanceTenant, emptyTenant, type Tenant } from '../tenant.ts';
import { putMeta } from '../tenant-meta.ts';

const STREAM_ID = '0'.repeat(32);
const EVERYBODY: readonly CommandSigner[] = ['first', 'second'].map((subject) => ({ subject, roles: new Set(ROLES) }));

export type TrialRecord = {
  readonly change: ChangeBody;
  readonly appendTimeMs: number;
  /** Whether the people who signed a command may give it. */
  readonly isAuthorised?: boolean;
};

/**
 * A tenant that never was: the very decider, on records that nobody signed. What `clyra policy test` and `replay` ask
 * it is what an enforcer would answer.
 */
export class PolicyTrial {
  readonly policy: Policy;
  readonly policyDigest: Digest;
  readonly #tenant: Tenant;
  #offset = 0;

  constructor(policy: Policy, tenant: { readonly name: string; readonly openedAtMs: number }) {
    this.policy = policy;
    this.policyDigest = digestOf(policyBytes(policy));
    this.#tenant = emptyTenant(digestOf(`trial\n${tenant.name}`));
    this.#tenant.table.apply([
      putMeta({
        tenant: tenant.name,
        engine: ENGINE_1,
        policy: this.policyDigest,
        trust_root: digestOf('trial'),
        time: tenant.openedAtMs,
        window: 0,
        tick: 0,
      }),
    ]);
  }

  /** The body that the record is answered with. */
  answer({ change, appendTimeMs, isAuthorised = true }: TrialRecord): JsonObject {
    const place = { streamId: STREAM_ID, partition: 0, offset: this.#offset, previousOffset: this.#offset - 1 };
    this.#offset += 1;
    return advanceTenant(this.#tenant, {
      change,
      changeDigest: digestOf(encodeRecord(change as unknown as JsonObject)),
      place,
      receiptId: receiptIdOf(place),
      appendTimeMs,
      signatureValid: true,
      signers: isAuthorised ? EVERYBODY : [],
      policy: this.policy,
      isPolicy: (digest) => digest === this.policyDigest,
    }).body;
  }
}
