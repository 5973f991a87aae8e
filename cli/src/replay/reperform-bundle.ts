// SPDX-License-Identifier: Apache-2.0
import { DIGEST, type Digest } from '@clyra/core/canonical/digest';
import { readInteger, readObject, readText, STREAM_ID } from '@clyra/core/change/shape';
import { type ArtifactNeed, artifactNeeds } from '@clyra/core/enforcement/artifacts';
import { ENGINE_1 } from '@clyra/core/enforcement/limits';
import { StateTable } from '@clyra/core/enforcement/state-table';
import { readMeta } from '@clyra/core/enforcement/tenant-meta';
import { type DecidedLine, parseSourceLine } from '@clyra/core/evidence/journal-line';
import { parseLedger } from '@clyra/core/evidence/ledger';
import { ClyraError } from '@clyra/core/kernel/error';
import { CompactRange } from '@clyra/core/merkle/compact-range';
import { Reperformance, type ReperformanceStart } from '@clyra/core/replay/reperformance';
import { ReplayTally } from '@clyra/core/replay/replay-tally';
import { type BundleFolder, type BundleLine, notBundle } from '../bundle/bundle-folder.ts';
import { requireContinuous } from '../bundle/proofs.ts';
import { artifactsOfKind, type DocumentShelf } from './document-shelf.ts';

export type ReperformanceOrder = {
  readonly bundle: BundleFolder;
  /** The bundles before it, in order, for a bundle whose opening state is not at hand. */
  readonly previous: readonly BundleFolder[];
  readonly shelf: DocumentShelf;
};

/** What cannot be derived any more, once something is missing: the code, and what it was. */
type Halt = { readonly code: `CLY_REPLAY_${string}`; readonly first: string };

/** Folds the journal of a bundle again and compares every body (docs/spec/statements.md §2). */
export async function reperformBundle({ bundle, previous, shelf }: ReperformanceOrder): Promise<ReplayTally> {
  const tally = new ReplayTally();
  const all = [...previous, bundle];
  requireContinuous(all, bundle.head.range.start);
  const opened = await openFold(all[0] ?? bundle, shelf);
  let fold = opened instanceof Reperformance ? opened : undefined;
  let halt = opened instanceof Reperformance ? undefined : opened;
  for (const one of previous) {
    const stopped = fold === undefined ? undefined : await foldPrevious(one, fold, shelf);
    if (stopped !== undefined) [fold, halt] = [undefined, stopped];
  }
  const opening = bundle.manifest['opening_state'];
  if (fold !== undefined && previous.length > 0 && fold.stateDigest() !== opening) {
    tally.differs({ leaf: null, member: 'opening_state' });
  }
  await foldBundle(bundle, { fold, halt, shelf, tally });
  for (const digest of shelf.outside) tally.input(digest);
  return tally;
}

async function openFold(bundle: BundleFolder, shelf: DocumentShelf): Promise<Reperformance | Halt> {
  const { manifest, head } = bundle;
  if (bundle.isExport)
    throw notBundle(bundle.path, 'an export has not all lines: replay the bundle that it was cut from');
  if (manifest['engine'] !== ENGINE_1) return { code: 'CLY_REPLAY_ENGINE', first: String(manifest['engine']) };
  const cut = readObject(manifest, 'cut');
  const place = {
    tenant: head.tenant,
    streamId: readText(manifest, 'stream_id', STREAM_ID),
    partition: readInteger(cut, 'partition'),
  };
  const opening = head.range.start === 0 ? null : await openingOf(bundle, shelf);
  if (opening !== null && 'code' in opening) return opening;
  await shelf.loadPolicies(bundle, artifactsOfKind(bundle, 'policy'));
  const policy = opening === null ? null : readMeta(opening.table).policy;
  if (policy !== null) await shelf.loadPolicies(bundle, [policy]);
  return new Reperformance({ ...place, opening }, shelf);
}

async function openingOf(
  bundle: BundleFolder,
  shelf: DocumentShelf,
): Promise<NonNullable<ReperformanceStart['opening']> | Halt> {
  const stateDigest = readText(bundle.manifest, 'opening_state', DIGEST);
  const ledgerDigest = readText(bundle.manifest, 'opening_ledger', DIGEST);
  const state = await shelf.state(bundle, stateDigest);
  if (state === undefined) return withheld({ kind: 'state', digest: stateDigest });
  const bytes = await shelf.content(bundle, ledgerDigest, 'ledgers');
  if (bytes === undefined) return withheld({ kind: 'ledger', digest: ledgerDigest });
  const { chain, last_offset: lastOffset } = parseLedger(bytes).head;
  return { table: StateTable.parse(state), chain, lastOffset };
}

type Named = { readonly kind: ArtifactNeed['kind'] | 'state' | 'ledger'; readonly digest: Digest };

function documentName({ kind, digest }: Named): string {
  return `${kind} ${digest}`;
}

function withheld(document: Named): Halt {
  return { code: 'CLY_REPLAY_ARTIFACT_WITHHELD', first: documentName(document) };
}

/** Brings the fold through an earlier bundle. Undefined if every body came out as it stands there. */
async function foldPrevious(
  bundle: BundleFolder,
  fold: Reperformance,
  shelf: DocumentShelf,
): Promise<Halt | undefined> {
  for await (const line of bundle.lines()) {
    const decided = decidedOf(line);
    if (decided === 'damaged') return { code: 'CLY_REPLAY_PREVIOUS_DIFFERS', first: String(line.leaf) };
    if (decided === undefined) continue;
    const step = await stepOver(bundle, { decided, fold, shelf });
    if (step.kind === 'withheld') return withheld(step.document);
    if (step.kind === 'differs') return { code: 'CLY_REPLAY_PREVIOUS_DIFFERS', first: String(line.leaf) };
  }
  return undefined;
}

type Folding = {
  fold: Reperformance | undefined;
  halt: Halt | undefined;
  readonly shelf: DocumentShelf;
  readonly tally: ReplayTally;
};

async function foldBundle(bundle: BundleFolder, work: Folding): Promise<void> {
  const { range, frontier, root } = bundle.head;
  const tree = new CompactRange(range.start, frontier);
  for await (const line of bundle.lines()) {
    tree.append(line.hash);
    const decided = decidedOf(line);
    if (decided === 'damaged') work.tally.differs({ leaf: line.leaf, member: 'line' });
    else if (decided !== undefined) await compareLine(bundle, { line, decided, work });
  }
  // Lines that no body depends on are the manifest's, too.
  if (tree.root() !== root) work.tally.differs({ leaf: null, member: 'root' });
}

type Compared = { readonly line: BundleLine; readonly decided: DecidedLine; readonly work: Folding };

async function compareLine(bundle: BundleFolder, { line, decided, work }: Compared): Promise<void> {
  const { tally, fold, shelf } = work;
  if (fold === undefined) {
    if (work.halt !== undefined) tally.missing(work.halt.code, work.halt.first);
    return;
  }
  const step = await stepOver(bundle, { decided, fold, shelf });
  if (step.kind === 'equal') {
    tally.equal('bodies');
    if (step.stateCompared) tally.equal('states');
  } else if (step.kind === 'differs') {
    tally.differs({ leaf: line.leaf, member: step.member });
  } else if (step.kind === 'assumed') {
    tally.missing('CLY_REPLAY_DOCUMENT_ASSUMED', documentName(step.document));
  } else {
    [work.fold, work.halt] = [undefined, withheld(step.document)];
    tally.missing(work.halt.code, work.halt.first);
  }
}

type Step = { readonly decided: DecidedLine; readonly fold: Reperformance; readonly shelf: DocumentShelf };

async function stepOver(
  bundle: BundleFolder,
  { decided, fold, shelf }: Step,
): Promise<ReturnType<Reperformance['step']>> {
  const needs = artifactNeeds(decided.change.body).filter(({ kind }) => kind === 'policy');
  await shelf.loadPolicies(
    bundle,
    needs.map(({ digest }) => digest),
  );
  return fold.step(decided);
}

function decidedOf({ record, bytes }: BundleLine): DecidedLine | undefined | 'damaged' {
  if (record['kind'] !== 'decided') return undefined;
  try {
    const line = parseSourceLine(bytes);
    return line.kind === 'decided' ? line : undefined;
  } catch (error) {
    if (error instanceof ClyraError) return 'damaged';
    throw error;
  }
}
