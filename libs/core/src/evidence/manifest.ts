// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { DIGEST, type Digest, digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject } from '../canonical/json-value.ts';
import { parseJson } from '../canonical/parse-json.ts';
import { readDigest, readInteger, readList, readObject, readText, shapeError } from '../change/shape.ts';
import { ClyraError } from '../kernel/error.ts';
import type { BundlePlace } from './bundle-log.ts';
import type { SealedRange, Separation } from './sealed-range.ts';

export const BUNDLE_FORMAT = 'clyra/bundle/v0';
export const MANIFEST_BYTES_MAX = 1_048_576;

export type ArtifactKind = 'policy' | 'state' | 'ledger' | 'document';
export type Artifact = { readonly kind: ArtifactKind; readonly sha256: Digest; readonly size: number };

/** What a producer adds to a sealed range. */
export type ManifestExtras = {
  readonly origin: string;
  /** Ascending by digest. */
  readonly artifacts: readonly Artifact[];
  readonly separation: Separation;
  readonly bundleLog: BundlePlace;
  readonly previousManifest: Digest | null;
  readonly producer: { readonly name: string; readonly version: string };
};

/** manifest.json (docs/spec/bundle.md §3). Throws CLY_BUNDLE_MANIFEST_SIZE beyond 1 MiB. */
export function encodeManifest(sealed: SealedRange, extras: ManifestExtras): Uint8Array {
  const manifest = {
    format: BUNDLE_FORMAT,
    profiles: sealed.profiles,
    tenant: sealed.tenant,
    stream_id: sealed.streamId,
    origin: extras.origin,
    range: { start: sealed.start, end: sealed.end },
    root: sealed.root,
    frontier: sealed.frontier,
    cut: sealed.cut,
    opening_state: sealed.openingState,
    opening_ledger: sealed.openingLedger === null ? null : digestOf(sealed.openingLedger),
    closing_ledger: digestOf(sealed.closingLedger),
    journal: sealed.journal,
    artifacts: extras.artifacts.map(({ kind, sha256, size }) => ({ kind, sha256, size })),
    documents: {
      named: sealed.documents.named,
      held: sealed.documents.heldOf(extras.artifacts.filter(({ kind }) => kind === 'document')),
    },
    policies: sealed.policies,
    engine: sealed.engine,
    trust_root: sealed.trustRoot,
    runs: sealed.runs,
    decisions: sealed.decisions,
    reconciliation: sealed.reconciliation,
    coverage: sealed.coverage,
    gaps: sealed.gaps,
    outages: sealed.outages,
    ...sealed.metrics,
    separation: sealed.sharesKeys ? 'none' : extras.separation,
    bundle_log: { number: extras.bundleLog.number, frontier: extras.bundleLog.frontier },
    previous_manifest: extras.previousManifest,
    producer: extras.producer,
  };
  const bytes = Buffer.from(canonicalJson(manifest as unknown as JsonObject), 'utf8');
  if (bytes.length > MANIFEST_BYTES_MAX) {
    throw new ClyraError(
      'CLY_BUNDLE_MANIFEST_SIZE',
      `the manifest of ${sealed.tenant} [${sealed.start},${sealed.end}) would have ${bytes.length} bytes (at most ${MANIFEST_BYTES_MAX}): close runs and windows more often`,
      { retry: 'never', context: { tenant: sealed.tenant, manifest_bytes: bytes.length } },
    );
  }
  return bytes;
}

/** What services need of a manifest that they or a peer wrote. The verifier is what judges one. */
export type ManifestHead = {
  readonly tenant: string;
  readonly origin: string;
  readonly range: { readonly start: number; readonly end: number };
  readonly root: Digest;
  /** Of the tenant. */
  readonly partition: number;
  readonly stream_id: string;
  /** At the cut that ends the range. */
  readonly state: Digest;
  readonly closing_ledger: Digest;
  readonly trust_root: Digest;
  readonly artifacts: readonly Digest[];
  readonly bundle_log: BundlePlace;
};

/** Throws JsonError or CLY_RECORD_SHAPE. */
export function readManifestHead(bytes: Uint8Array): ManifestHead {
  const manifest = parseJson(bytes, { bytesMax: MANIFEST_BYTES_MAX, depthMax: 8, valuesMax: 100_000 });
  if (!isJsonObject(manifest) || manifest['format'] !== BUNDLE_FORMAT)
    throw shapeError(`format is not ${BUNDLE_FORMAT}`);
  const range = readObject(manifest, 'range');
  const cut = readObject(manifest, 'cut');
  const artifacts = manifest['artifacts'];
  if (!Array.isArray(artifacts)) throw shapeError('artifacts is not a list');
  return {
    tenant: readText(manifest, 'tenant', /^.{1,63}$/),
    origin: readText(manifest, 'origin', /^\S{1,512}$/),
    range: { start: readInteger(range, 'start'), end: readInteger(range, 'end', 1) },
    root: readDigest(manifest, 'root'),
    partition: readInteger(cut, 'partition'),
    stream_id: readText(manifest, 'stream_id', /^[0-9a-f]{32}$/),
    state: readDigest(cut, 'state_digest'),
    closing_ledger: readDigest(manifest, 'closing_ledger'),
    trust_root: readDigest(manifest, 'trust_root'),
    artifacts: artifacts.map((artifact) => {
      const digest = isJsonObject(artifact) ? artifact['sha256'] : undefined;
      if (typeof digest !== 'string' || !DIGEST.test(digest)) throw shapeError('an artifact has no digest');
      return digest;
    }),
    bundle_log: readPlace(readObject(manifest, 'bundle_log')),
  };
}

function readPlace(place: JsonObject): BundlePlace {
  const frontier = readList(place, 'frontier', 53);
  if (!frontier.every((root) => typeof root === 'string' && DIGEST.test(root)))
    throw shapeError('a frontier has digests');
  return { number: readInteger(place, 'number'), frontier: frontier as Digest[] };
}

/**
 * Whether two manifests say the same of the log: they may come from producers of different versions. A half-written
 * bundle is then finished with the manifest that stands there, instead of being blocked by it for ever.
 */
export function sameRange(left: Uint8Array, right: Uint8Array): boolean {
  const limits = { bytesMax: MANIFEST_BYTES_MAX, depthMax: 8, valuesMax: 100_000 };
  const [one, other] = [left, right].map((bytes) => {
    const manifest = parseJson(bytes, limits);
    return isJsonObject(manifest) ? canonicalJson({ ...manifest, producer: null, separation: null }) : undefined;
  });
  return one !== undefined && one === other;
}
