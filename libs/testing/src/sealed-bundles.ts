// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { activationOf } from '@clyra/core/evidence/activation';
import { artifactList, artifactsOf, documentsBeside } from '@clyra/core/evidence/bundle-artifacts';
import { sealBundle } from '@clyra/core/evidence/bundle-files';
import { type BundlePlace, FIRST_PLACE } from '@clyra/core/evidence/bundle-log';
import { bundleLocation } from '@clyra/core/evidence/bundle-names';
import { JournalFold } from '@clyra/core/evidence/journal-fold';
import { encodeManifest } from '@clyra/core/evidence/manifest';
import type { SealedRange } from '@clyra/core/evidence/sealed-range';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { POLICY_BYTES, POLICY_DIGEST, SCRIPT_KEYS, SCRIPT_POLICY, SCRIPT_TRUST, TENANT } from './fold-script.ts';
import type { History } from './history.ts';

export type SealedBundle = {
  readonly envelope: Envelopes['BundleEnvelope'];
  /** By path inside the bundle. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly nextPlace: BundlePlace;
};

/** The bundles of a history, as a bundler would seal them: one for each sealing cut. */
export async function sealHistory(history: History): Promise<SealedBundle[]> {
  const fold = new JournalFold(TENANT);
  const bundles: SealedBundle[] = [];
  let previousManifest: Digest | null = null;
  let bundleLog = FIRST_PLACE;
  let journal: Buffer[] = [];
  for (const line of history.lines()) {
    const step = fold.push(line, activationOf(line).policy === undefined ? undefined : SCRIPT_POLICY.guarded);
    journal.push(...step.leaves.map((leaf) => Buffer.concat([leaf, Buffer.from('\n')])));
    if (step.sealed === undefined) continue;
    const bundle = await seal(step.sealed, { history, journal: Buffer.concat(journal), previousManifest, bundleLog });
    bundles.push(bundle);
    bundleLog = bundle.nextPlace;
    previousManifest = bundle.envelope.manifest_digest;
    journal = [];
  }
  return bundles;
}

type Parts = {
  readonly history: History;
  readonly journal: Uint8Array;
  readonly previousManifest: Digest | null;
  readonly bundleLog: BundlePlace;
};

async function seal(sealed: SealedRange, parts: Parts): Promise<SealedBundle> {
  const { history, journal, previousManifest, bundleLog } = parts;
  const origin = `${SCRIPT_TRUST.root.logOrigin}/${sealed.tenant}`;
  const state = sealed.openingState === null ? null : (history.states.get(sealed.openingState) ?? null);
  const policies = new Map([[POLICY_DIGEST, POLICY_BYTES]]);
  const given = artifactsOf(sealed, { policies, state });
  const documents = documentsBeside(sealed, given).filter(({ sha256 }) => history.documents.has(sha256));
  const artifacts = artifactList(given, documents);
  const producer = { name: 'clyra-test', version: '0.0.0' };
  const extras = { origin, artifacts, separation: 'none', bundleLog, previousManifest, producer } as const;
  const bytes = encodeManifest(sealed, extras);
  const signers = { log: SCRIPT_KEYS.log, bundler: SCRIPT_KEYS.bundler };
  const seals = await sealBundle(sealed, { bytes, origin, bundleLog }, signers);
  const { tenant, start, end } = sealed;
  return {
    envelope: {
      tenant,
      origin,
      range_start: start,
      range_end: end,
      manifest_digest: digestOf(bytes),
      location: bundleLocation(tenant, { start, end }),
    },
    files: new Map([
      ['journal.jsonl', journal],
      ...given.map(({ sha256, bytes }) => [`artifacts/${sha256}`, bytes] as const),
      ...documents.map(({ sha256 }) => [`artifacts/${sha256}`, history.documents.get(sha256) as Uint8Array] as const),
      ['manifest.json', bytes],
      ['VERIFY.md', seals.verifyText],
      ['checkpoint', seals.checkpoint],
      ['bundle-log.checkpoint', seals.bundleLogCheckpoint],
      ['manifest.dsse.json', seals.envelope],
    ]),
    nextPlace: seals.nextPlace,
  };
}

export async function putBundle(blobs: BlobStore, { envelope, files }: SealedBundle): Promise<void> {
  for (const [name, bytes] of files) await blobs.put(`${envelope.location}/${name}`, bytes);
}
