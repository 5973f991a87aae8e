// SPDX-License-Identifier: Apache-2.0
import { signTrustRoot } from '@clyra/adapter-signing/trust-root-file';
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Signer } from '@clyra/core/ports/signer';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { TrustRootFiles } from '@clyra/core/signing/trust-root-rotation';
import type { TrustDraft } from './trust-draft.ts';

const DAY_MS = 86_400_000;
const LIMITS = { bytesMax: 1_048_576, depthMax: 8, valuesMax: 20_000 };

/** Version 1 of a draft, signed. Throws CLY_TRUST_ROOT_INVALID. */
export async function firstVersion(
  draft: TrustDraft,
  nowMs: number,
  signers: readonly Signer[],
): Promise<TrustRootFiles> {
  const document = {
    format: 'clyra/trust-root/v0',
    version: 1,
    history: [],
    issued_at: nowMs,
    expires_at: nowMs + draft.validDays * DAY_MS,
    single_operator: false,
    thresholds: { root: 1, tsa: 1, witness: 1 },
    ...draft.members,
    keys: draft.keys,
    time_authorities: draft.timeAuthorities,
  };
  return sealed(document, signers);
}

/** The version after `current`, with what `change` makes of its document (docs/spec/trust.md §2), signed. */
export async function nextVersion(
  current: Uint8Array,
  { nowMs, validDays, change }: { nowMs: number; validDays: number; change: (document: JsonObject) => JsonObject },
  signers: readonly Signer[],
): Promise<TrustRootFiles> {
  const before = parseTrustRoot(current);
  const document = parseJson(current, LIMITS) as JsonObject;
  const next = {
    ...change(document),
    version: before.version + 1,
    history: [...before.history, digestOf(current)],
    issued_at: nowMs,
    expires_at: nowMs + validDays * DAY_MS,
  };
  return sealed(next, signers);
}

/** Adds what a draft names to what was there. */
export function withDraft(draft: TrustDraft): (document: JsonObject) => JsonObject {
  return (document) => ({
    ...document,
    ...draft.members,
    keys: [...entriesOf(document, 'keys'), ...draft.keys],
    time_authorities: [...entriesOf(document, 'time_authorities'), ...draft.timeAuthorities],
  });
}

/** Revokes a key (by key id) or a time authority (by name). Throws CLY_TRUST_ENTRY where there is none. */
export function withRevocation(id: string, atMs: number, reason: string): (document: JsonObject) => JsonObject {
  return (document) => {
    let count = 0;
    const revoke = (list: string, name: string): JsonObject[] =>
      entriesOf(document, list).map((entry) => {
        if (entry[name] !== id) return entry;
        count += 1;
        const earlier = entry['revoked_at'] as number | undefined;
        return { ...entry, revoked_at: Math.min(atMs, earlier ?? atMs), reason };
      });
    const revoked = { keys: revoke('keys', 'key_id'), time_authorities: revoke('time_authorities', 'name') };
    if (count > 0) return { ...document, ...revoked };
    const what = `the trust root has neither a key nor a time authority ${id}: see \`clyra trust show\``;
    throw new ClyraError('CLY_TRUST_ENTRY', what, { retry: 'never', context: { id } });
  };
}

function entriesOf(document: JsonObject, list: string): readonly JsonObject[] {
  return (document[list] ?? []) as readonly JsonObject[];
}

async function sealed(document: JsonObject, signers: readonly Signer[]): Promise<TrustRootFiles> {
  const bytes = Buffer.from(canonicalJson(document), 'utf8');
  parseTrustRoot(bytes);
  return { bytes, dsse: await signTrustRoot({ bytes }, signers) };
}
