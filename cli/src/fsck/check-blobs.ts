// SPDX-License-Identifier: Apache-2.0
import { isJsonObject } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { stateDigestOf } from '@clyra/core/evidence/state-artifact';
import { blobPlace } from './blob-place.ts';
import type { TenantFiles } from './check-log.ts';
import type { DataFolder } from './data-folder.ts';
import type { Findings } from './finding.ts';

const MARK_SIZE_MAX = 200;
const ENVELOPE_LIMITS = { bytesMax: 16_777_216, depthMax: 16, valuesMax: 1_000_000 };

/** What the folder holds, sorted out: logs by tenant, and how many blobs of each kind stand alone. */
export type Inventory = { readonly tenants: readonly TenantFiles[]; readonly counts: ReadonlyMap<string, number> };

type Open = { readonly bundles: Map<string, Set<string>>; readonly checkpoints: number[] };
type Deferred = { readonly name: string; readonly location: string };

/** Looks at every file once. What says something of a bundle is judged when all bundles are known. */
export async function checkBlobs(folder: DataFolder, findings: Findings): Promise<Inventory> {
  const tenants = new Map<string, Open>();
  const counts = new Map<string, number>();
  const marks: Deferred[] = [];
  const attestations: Deferred[] = [];
  for (const { name, isRegular } of await folder.files()) {
    const place = blobPlace(name);
    if (place === undefined || !isRegular) {
      findings.add('CLY_FSCK_STRAY', name, isRegular ? 'no blob has such a name' : 'is no regular file');
      continue;
    }
    counts.set(place.kind, (counts.get(place.kind) ?? 0) + 1);
    if (place.kind === 'bundle') bundleOf(tenants, place.tenant, place.location).add(place.file);
    else if (place.kind === 'checkpoint') tenantOf(tenants, place.tenant).checkpoints.push(place.end);
    else if (place.kind === 'mark') marks.push({ name, location: place.location });
    else if (place.kind === 'attestation') attestations.push({ name, location: place.location });
    else if (place.kind === 'leftover') findings.add('CLY_FSCK_LEFTOVER', name, 'a crash left it behind');
    else if ('digest' in place) await checkDigest(folder, findings, { name, ...place });
  }
  if (counts.size === 0) findings.add('CLY_FSCK_EMPTY', '.', 'it holds nothing that could be checked');
  const known = new Map([...tenants.values()].flatMap(({ bundles }) => [...bundles]));
  for (const mark of marks) await checkMark(folder, findings, { ...mark, files: known.get(mark.location) });
  for (const one of attestations) await checkAttestation(folder, findings, { ...one, stands: known.has(one.location) });
  return { tenants: [...tenants].map(([tenant, files]) => ({ tenant, ...files })), counts };
}

function tenantOf(tenants: Map<string, Open>, tenant: string): Open {
  const files = tenants.get(tenant) ?? { bundles: new Map(), checkpoints: [] };
  tenants.set(tenant, files);
  return files;
}

function bundleOf(tenants: Map<string, Open>, tenant: string, location: string): Set<string> {
  const { bundles } = tenantOf(tenants, tenant);
  const files = bundles.get(location) ?? new Set();
  bundles.set(location, files);
  return files;
}

type Named = { readonly name: string; readonly kind: 'digest' | 'state'; readonly digest: string };

async function checkDigest(folder: DataFolder, findings: Findings, { name, kind, digest }: Named): Promise<void> {
  try {
    const own = kind === 'digest' ? await folder.digest(name) : stateDigestOf(await folder.read(name));
    if (own !== digest) findings.add('CLY_FSCK_BLOB_DIGEST', name, `its digest is ${own}`);
  } catch (cause) {
    findings.add('CLY_FSCK_BLOB_DIGEST', name, cause instanceof Error ? cause.message : String(cause));
  }
}

type Mark = Deferred & { readonly files: ReadonlySet<string> | undefined };

/** A mark says which file somebody outside made of a checkpoint. */
async function checkMark(folder: DataFolder, findings: Findings, { name, location, files }: Mark): Promise<void> {
  const text = (await folder.read(name)).toString('utf8', 0, MARK_SIZE_MAX).trimEnd();
  if (files?.has(text) !== true) findings.add('CLY_FSCK_MARK', name, `${location} has no ${text}`);
}

type Attestation = Deferred & { readonly stands: boolean };

/** An attestation names its bundle by the digest of the manifest. */
async function checkAttestation(folder: DataFolder, findings: Findings, one: Attestation): Promise<void> {
  const { name, location, stands } = one;
  const digest = stands ? await folder.digest(`${location}/manifest.json`).catch(() => undefined) : undefined;
  if (digest === undefined || !subjectsOf(await folder.read(name)).includes(digest)) {
    findings.add('CLY_FSCK_ATTESTATION', name, `its subject is not the manifest of ${location}`);
  }
}

/** The digests of an envelope's subjects; none where it is no such envelope. */
function subjectsOf(bytes: Uint8Array): readonly string[] {
  try {
    const envelope = parseJson(bytes, ENVELOPE_LIMITS);
    const payload = isJsonObject(envelope) ? Buffer.from(String(envelope['payload']), 'base64') : Buffer.of();
    const statement = parseJson(payload, ENVELOPE_LIMITS);
    const subjects = isJsonObject(statement) ? statement['subject'] : undefined;
    return (Array.isArray(subjects) ? subjects : []).flatMap((subject) => {
      const digest = isJsonObject(subject) ? subject['digest'] : undefined;
      return isJsonObject(digest) ? [String(digest['sha256'])] : [];
    });
  } catch {
    return [];
  }
}
