// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { afterBundle, type BundlePlace, FIRST_PLACE } from '@clyra/core/evidence/bundle-log';
import { bundleLocation, checkpointName } from '@clyra/core/evidence/bundle-names';
import { parseCheckpoint } from '@clyra/core/evidence/checkpoint';
import { CompactRange } from '@clyra/core/merkle/compact-range';
import { BundleFolder } from '../bundle/bundle-folder.ts';
import { type Claim, verifyAll } from './batch-verifier.ts';
import type { DataFolder } from './data-folder.ts';
import type { Findings } from './finding.ts';

export type TenantFiles = {
  readonly tenant: string;
  /** Bundle by bundle the names of its files. */
  readonly bundles: ReadonlyMap<string, ReadonlySet<string>>;
  readonly checkpoints: readonly number[];
};

export type TenantLog = { readonly tenant: string; readonly leaves: number; readonly bundles: readonly BundleFolder[] };

/** What the bundles before leave to the next one; no tree and no place after one that leads nowhere. */
type Carried = {
  readonly end: number;
  readonly tree: CompactRange | undefined;
  readonly place: BundlePlace | undefined;
  readonly before: BundleFolder | undefined;
};

type Check = { readonly folder: DataFolder; readonly findings: Findings; readonly trustRootFile: string | undefined };

/** One tenant's bundles, from leaf 0 on: each verified in full, each following from the one before, none missing. */
export async function checkLog(files: TenantFiles, check: Check): Promise<TenantLog> {
  const bundles = await openBundles(files, check);
  await verifyBundles(bundles, check);
  let carried: Carried = { end: 0, tree: new CompactRange(), place: FIRST_PLACE, before: undefined };
  for (const bundle of bundles) carried = await follow(bundle, carried, check);
  await checkCheckpoints(files, bundles, check);
  return { tenant: files.tenant, leaves: carried.end, bundles };
}

async function openBundles({ tenant, bundles }: TenantFiles, { folder, findings }: Check): Promise<BundleFolder[]> {
  const opened: BundleFolder[] = [];
  for (const [location, names] of bundles) {
    if (!names.has('manifest.dsse.json')) {
      findings.add('CLY_FSCK_UNFINISHED', location, 'has no envelope yet');
      continue;
    }
    try {
      const bundle = await BundleFolder.open(folder.at(location));
      const { head } = bundle;
      if (head.tenant === tenant && bundleLocation(tenant, head.range) === location) opened.push(bundle);
      else
        findings.add('CLY_FSCK_BUNDLE_NAME', location, `its manifest is of ${bundleLocation(head.tenant, head.range)}`);
    } catch (cause) {
      findings.add('CLY_FSCK_BUNDLE', location, messageOf(cause));
    }
  }
  return opened.sort((one, other) => one.head.range.start - other.head.range.start);
}

/** In full, each with the checkpoint of the one before as what its reader kept. */
async function verifyBundles(
  bundles: readonly BundleFolder[],
  { folder, findings, trustRootFile }: Check,
): Promise<void> {
  const trust = trustRootFile === undefined ? [] : ['--trust-root', trustRootFile];
  const calls = bundles.map(({ path }, index) => {
    const before = bundles[index - 1];
    return [...trust, ...(before === undefined ? [] : ['--previous', `${before.path}/checkpoint`]), path];
  });
  for (const [index, { claims, exit_code: code }] of (await verifyAll(calls)).entries()) {
    const location = relativeTo(folder, bundles[index] as BundleFolder);
    const wrong = claims.filter((claim) => claim[1] === 'FAIL' || claim[1] === 'UNSUPPORTED');
    for (const claim of wrong)
      findings.add(isWorld(claim) ? 'CLY_FSCK_COVERAGE' : 'CLY_FSCK_BUNDLE', location, said(claim));
    if (wrong.length === 0 && [1, 2, 3, 5].includes(code))
      findings.add('CLY_FSCK_BUNDLE', location, `verify ended with ${code}`);
  }
}

function isWorld([id]: Claim): boolean {
  return id === 'coverage';
}

function said([id, status, code]: Claim): string {
  return `${id} is ${status} ${code ?? ''}`;
}

/** Range, tree, place in the log of bundles, and everything that a manifest says of the one before. */
async function follow(bundle: BundleFolder, carried: Carried, { folder, findings }: Check): Promise<Carried> {
  const location = relativeTo(folder, bundle);
  const { start, end } = bundle.head.range;
  const isNext = start === carried.end;
  if (start > carried.end)
    findings.add('CLY_FSCK_GAP', location, `leaves ${carried.end} to ${start - 1} are in no bundle`);
  if (start < carried.end)
    findings.add('CLY_FSCK_OVERLAP', location, `leaves from ${start} on are in the bundle before too`);
  if (isNext) for (const what of contradictions(bundle, carried)) findings.add('CLY_FSCK_CHAIN', location, what);
  try {
    const tree = isNext && carried.tree !== undefined ? carried.tree : treeBefore(bundle);
    for await (const { hash } of bundle.lines()) tree.append(hash);
    if (tree.root() === bundle.head.root) return { end, tree, place: placeAfter(bundle), before: bundle };
    findings.add('CLY_FSCK_CHAIN', location, 'the lines from leaf 0 on do not lead to its root');
  } catch (cause) {
    findings.add('CLY_FSCK_BUNDLE', location, messageOf(cause));
  }
  return { end: Math.max(end, carried.end), tree: undefined, place: undefined, before: bundle };
}

function* contradictions({ manifest, head }: BundleFolder, { tree, place, before }: Carried): Generator<string> {
  if (tree !== undefined && String(head.frontier) !== String(tree.roots))
    yield 'its frontier is not the tree of the lines before';
  const own = placeOf(manifest);
  if (place !== undefined && (own.number !== place.number || String(own.frontier) !== String(place.frontier))) {
    yield `its place in the log of bundles is not ${place.number}`;
  }
  const expected: readonly (readonly [string, JsonValue])[] = [
    ['previous_manifest', before?.manifestDigest ?? null],
    ['opening_ledger', before?.manifest['closing_ledger'] ?? null],
    ['opening_state', memberOf(before?.manifest['cut'], 'state_digest') ?? null],
  ];
  for (const [name, value] of expected) {
    if (manifest[name] !== value) yield `${name} is not what the bundle before ends with`;
  }
}

/** Throws where the frontier is not of the size that the range needs. */
function treeBefore({ head }: BundleFolder): CompactRange {
  return new CompactRange(head.range.start, head.frontier);
}

/** The place of the next bundle, as this one's own place leads to it. */
function placeAfter({ manifest, manifestDigest, head }: BundleFolder): BundlePlace {
  return afterBundle(placeOf(manifest), { manifest: manifestDigest, ...head }).next;
}

function placeOf(manifest: JsonObject): BundlePlace {
  const log = manifest['bundle_log'];
  const frontier = memberOf(log, 'frontier');
  return {
    number: Number(memberOf(log, 'number') ?? 0),
    frontier: Array.isArray(frontier) ? frontier.map(String) : [],
  };
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}

/** Each whole bundle has its checkpoint, and each checkpoint its bundle; the newest may still wait for its envelope. */
async function checkCheckpoints(
  files: TenantFiles,
  bundles: readonly BundleFolder[],
  { folder, findings }: Check,
): Promise<void> {
  const ends = new Set(files.checkpoints);
  for (const { head } of bundles) {
    const name = checkpointName(files.tenant, head.range.end);
    if (!ends.delete(head.range.end)) findings.add('CLY_FSCK_CHECKPOINT_MISSING', name, 'its bundle stands');
    else if (!(await saysTheSame(folder, name, head)))
      findings.add('CLY_FSCK_CHECKPOINT', name, 'another origin, size or root');
  }
  const unfinished = [...files.bundles].filter(([, names]) => !names.has('manifest.dsse.json'));
  for (const end of ends) {
    const isWaited = unfinished.some(([location]) => Number(location.split('-').at(-1)) === end);
    if (!isWaited) findings.add('CLY_FSCK_CHECKPOINT_ALONE', checkpointName(files.tenant, end), 'no bundle ends there');
  }
}

async function saysTheSame(folder: DataFolder, name: string, head: BundleFolder['head']): Promise<boolean> {
  try {
    const { origin, size, root } = parseCheckpoint(await folder.read(name));
    return origin === head.origin && size === head.range.end && root === head.root;
  } catch {
    return false;
  }
}

function relativeTo(folder: DataFolder, { path }: BundleFolder): string {
  return path.slice(folder.path.length + 1);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
