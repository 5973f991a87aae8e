// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { parseJson } from '../canonical/parse-json.ts';
import { ClyraError, type ErrorCode } from '../kernel/error.ts';
import { verifyEd25519 } from './ed25519.ts';
import { pae } from './pae.ts';
import { parseTrustRoot } from './parse-trust-root.ts';
import type { TrustRoot } from './trust-root.ts';

export const TRUST_ROOT_TYPE = 'application/vnd.clyra.trust-root.v0+json';

/** trust-root.json and trust-root.dsse.json as they stand on disk. */
export type TrustRootFiles = { readonly bytes: Uint8Array; readonly dsse: Uint8Array };

const DOCUMENT_LIMITS = { bytesMax: 1_048_576, depthMax: 8, valuesMax: 20_000 };
const ENVELOPE_LIMITS = { bytesMax: 2_097_152, depthMax: 4, valuesMax: 400 };
const SIGNATURES_MAX = 64;
/** What may differ between two versions of the same entry (docs/spec/trust.md §2 rule 3). */
const MAY_CHANGE = new Set(['valid_to', 'revoked_at', 'reason']);

/**
 * Reads a first version: enough of its own subjects signed it. Throws CLY_TRUST_ROOT_INVALID or CLY_TRUST_ROOT_THRESHOLD.
 */
export function readFirstTrustRoot(files: TrustRootFiles): TrustRoot {
  const root = parseTrustRoot(files.bytes);
  requireThreshold(files, root, root);
  return root;
}

/**
 * Reads the version that follows `current` (docs/spec/trust.md §2). Throws CLY_TRUST_ROOT_INVALID, _ROLLBACK, _VERSION,
 * _ORIGIN, _HISTORY or _THRESHOLD; each says what to do.
 */
export function readNextTrustRoot(current: Uint8Array, next: TrustRootFiles): TrustRoot {
  const [before, root] = [parseTrustRoot(current), parseTrustRoot(next.bytes)];
  if (root.version < before.version || (root.version === before.version && root.digest !== before.digest)) {
    throw refused(
      'CLY_TRUST_ROOT_ROLLBACK',
      `version ${root.version} does not come after version ${before.version}, which is known here: ask who offers it`,
    );
  }
  const history = [...before.history, before.digest];
  if (root.version !== before.version + 1 || root.history.join() !== history.join()) {
    throw refused(
      'CLY_TRUST_ROOT_VERSION',
      `is not the next one after version ${before.version}: take every version in turn`,
    );
  }
  if (root.logOrigin !== before.logOrigin || root.issuedAtMs < before.issuedAtMs) {
    throw refused('CLY_TRUST_ROOT_ORIGIN', `is of another log (${root.logOrigin}), or older than the version before`);
  }
  requireNothingLost(current, next.bytes);
  requireThreshold(next, before, root);
  requireThreshold(next, root, root);
  return root;
}

/** `asked` is the version whose keys and threshold are asked. */
function requireThreshold({ bytes, dsse }: TrustRootFiles, asked: TrustRoot, signed: TrustRoot): void {
  const message = pae(TRUST_ROOT_TYPE, bytes);
  const subjects = new Set<string>();
  for (const { keyId, signature } of readSignatures(dsse, bytes)) {
    const key = asked.keys.get(keyId);
    const atMs = signed.issuedAtMs;
    if (key === undefined || !key.roles.has('root') || atMs < key.validFromMs || atMs > key.validToMs) continue;
    if (key.revokedAtMs !== undefined && atMs >= key.revokedAtMs) continue;
    if (verifyEd25519(key.keyObject, message, signature)) subjects.add(key.subject);
  }
  const needed = asked.thresholds.root;
  if (subjects.size >= needed) return;
  throw refused(
    'CLY_TRUST_ROOT_THRESHOLD',
    `version ${signed.version} has the signatures of ${subjects.size} of the ${needed} root subjects that version ${asked.version} asks for: let the others sign it`,
  );
}

function readSignatures(
  dsse: Uint8Array,
  bytes: Uint8Array,
): readonly { readonly keyId: string; readonly signature: Uint8Array }[] {
  const envelope = parseJson(dsse, ENVELOPE_LIMITS);
  const signatures = isJsonObject(envelope) ? envelope['signatures'] : undefined;
  const isOurs =
    isJsonObject(envelope) &&
    envelope['payloadType'] === TRUST_ROOT_TYPE &&
    envelope['payload'] === Buffer.from(bytes).toString('base64');
  if (!isOurs || !Array.isArray(signatures) || signatures.length > SIGNATURES_MAX) {
    throw refused(
      'CLY_TRUST_ROOT_INVALID',
      'and its DSSE envelope do not belong together: take both files of one version',
    );
  }
  return signatures.map((entry: JsonValue) => {
    const [keyId, sig] = isJsonObject(entry) ? [entry['keyid'], entry['sig']] : [];
    if (typeof keyId !== 'string' || typeof sig !== 'string')
      throw refused('CLY_TRUST_ROOT_INVALID', 'has a signature without key id');
    return { keyId, signature: Buffer.from(sig, 'base64') };
  });
}

function requireNothingLost(current: Uint8Array, next: Uint8Array): void {
  for (const [list, id] of [
    ['keys', 'key_id'],
    ['time_authorities', 'name'],
  ] as const) {
    const [before, after] = [entriesOf(current, list, id), entriesOf(next, list, id)];
    for (const [name, entry] of before) {
      const later = after.get(name);
      if (later !== undefined && isSame(entry, later) && isOnlyNarrowed(entry, later)) continue;
      throw refused(
        'CLY_TRUST_ROOT_HISTORY',
        `drops or rewrites ${name} of ${list}: old bundles need it; shorten valid_to or set revoked_at instead`,
      );
    }
  }
}

function entriesOf(bytes: Uint8Array, list: string, id: string): ReadonlyMap<string, JsonObject> {
  const document = parseJson(bytes, DOCUMENT_LIMITS) as JsonObject;
  const entries = (document[list] ?? []) as readonly JsonObject[];
  return new Map(entries.map((entry) => [entry[id] as string, entry]));
}

function isSame(before: JsonObject, after: JsonObject): boolean {
  const lasting = (entry: JsonObject): string =>
    canonicalJson(Object.fromEntries(Object.entries(entry).filter(([name]) => !MAY_CHANGE.has(name))) as JsonObject);
  return lasting(before) === lasting(after);
}

function isOnlyNarrowed(before: JsonObject, after: JsonObject): boolean {
  const never = Number.MAX_SAFE_INTEGER;
  const revokedAt = (entry: JsonObject): number => (entry['revoked_at'] ?? never) as number;
  return (after['valid_to'] as number) <= (before['valid_to'] as number) && revokedAt(after) <= revokedAt(before);
}

function refused(code: ErrorCode, message: string): ClyraError {
  return new ClyraError(code, `the trust root ${message}`, { retry: 'never' });
}
