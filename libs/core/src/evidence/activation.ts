// SPDX-License-Identifier: Apache-2.0
import { DIGEST, type Digest, digestOf } from '../canonical/digest.ts';
import { isJsonObject } from '../canonical/json-value.ts';
import { parseJson } from '../canonical/parse-json.ts';
import type { CommandChange } from '../change/change-body.ts';
import { ClyraError } from '../kernel/error.ts';
import type { GuardedSource } from '../policy/policy.ts';
import type { SourceLine } from './journal-line.ts';

/** What the fold of a line needs from outside of the log: documents that an allowed command names by digest. */
export type Activation = { readonly policy: Digest | undefined; readonly trustRoot: Digest | undefined };

const NOTHING: Activation = { policy: undefined, trustRoot: undefined };

export function activationOf(line: SourceLine): Activation {
  if (line.kind !== 'decided' || line.receipt.body.kind !== 'decided' || line.receipt.body.decision !== 'allow') {
    return NOTHING;
  }
  const { kind } = line.change.body;
  const mayTrust = kind === 'tenant.opened' || (kind as string) === 'trust_root.activated';
  if (!mayTrust && kind !== 'policy.activated') return NOTHING;
  const { command } = line.change.body as CommandChange;
  const digest = (name: string): Digest | undefined => {
    const value = command[name];
    return typeof value === 'string' && DIGEST.test(value) ? value : undefined;
  };
  return {
    policy: (kind as string) === 'trust_root.activated' ? undefined : digest('policy'),
    trustRoot: mayTrust ? digest('trust_root') : undefined,
  };
}

const LIMITS = { bytesMax: 16_777_216, depthMax: 64, valuesMax: 1_000_000 };

/** The guarded relations that a compiled policy lists. Throws CLY_POLICY_DOCUMENT for other bytes than were activated. */
export function guardedOf(digest: Digest, document: Uint8Array): readonly GuardedSource[] {
  const policy = digestOf(document) === digest ? parseJson(document, LIMITS) : undefined;
  const guarded = isJsonObject(policy) ? (policy['guarded'] ?? []) : undefined;
  if (!Array.isArray(guarded)) {
    throw new ClyraError('CLY_POLICY_DOCUMENT', `policies/${digest} is not that policy: restore the blob`, {
      retry: 'never',
      context: { policy_digest: digest },
    });
  }
  return guarded as unknown as readonly GuardedSource[];
}
