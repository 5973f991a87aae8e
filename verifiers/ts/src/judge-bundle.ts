// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { checkAuthorship } from './checks/authorship.ts';
import { checkFoldAgreement } from './checks/fold-agreement.ts';
import { checkJournalAgreement } from './checks/journal-agreement.ts';
import { checkPrevious } from './checks/previous-check.ts';
import type { Finding } from './checks/reconciliation-check.ts';
import { checkSealAgreement } from './checks/seal-check.ts';
import type { Mode } from './checks/signature-check.ts';
import type { Manifest } from './documents/manifest.ts';
import { checkArtifacts } from './files/artifacts.ts';
import { listBundle } from './files/list-bundle.ts';
import { loadCarried } from './files/load-carried.ts';
import { type BundleDocuments, loadDocuments } from './files/load-documents.ts';
import { FileError, openRegular } from './files/open-regular.ts';
import type { Inputs } from './inputs.ts';
import { buildFold } from './journal/build-fold.ts';
import type { JournalFold } from './journal/journal-fold.ts';
import { JOURNAL, type JournalResult, verifyJournal } from './journal/verify-journal.ts';
import type { MatchStatus } from './ledger/judge.ts';
import type { Failures } from './report/failures.ts';

/** What came of judging a bundle, failures apart. */
export interface Judgement {
  readonly inputs: Inputs | null;
  readonly manifest: Manifest | null;
  readonly manifestDigest: string | null;
  /** Whether every check had its turn. */
  readonly isComplete: boolean;
  readonly findings: { readonly counts: Record<MatchStatus, number>; readonly listed: readonly Finding[] } | null;
}

export function nothingJudged(): Judgement {
  return { inputs: null, manifest: null, manifestDigest: null, isComplete: false, findings: null };
}

/** Lets every check see the bundle. Throws only system errors. */
export async function judgeBundle(
  bundle: { readonly directory: string; readonly mode: Mode },
  inputs: Inputs,
  failures: Failures,
): Promise<Judgement> {
  const { directory, mode } = bundle;
  const listed = await listBundle(directory, failures);
  const documents = await loadDocuments(directory, failures);
  const { manifest, manifestDigest } = documents;
  if (manifest === null) {
    reportOtherManifest(documents, failures);
    return { ...nothingJudged(), inputs, manifestDigest };
  }
  const sound = await checkArtifacts({ directory, manifest }, listed, failures);
  const carried = await loadCarried({ directory, manifest }, sound, failures);
  const fold = carried.ledger && buildFold({ manifest, mode, inputs, failures }, carried.ledger, carried.policies);
  const journal = await readJournal(join(directory, JOURNAL), { manifest, failures }, fold);
  if (journal !== null) {
    checkJournalAgreement(manifest, journal, failures);
  }
  if (journal !== null && fold !== null && journal.unreadableLine === null) {
    checkFoldAgreement(manifest, fold, failures);
  }
  const unreadableLine = journal?.unreadableLine ?? null;
  if (unreadableLine !== null) {
    reportUnreadable(unreadableLine, inputs, failures);
  }
  checkSeals({ ...documents, manifest }, { inputs, journal, fold }, failures);
  if (inputs.previous !== null) {
    checkPrevious(manifest, inputs.previous, failures);
  }
  const check = fold?.checks.reconciliation;
  return {
    inputs,
    manifest,
    manifestDigest,
    isComplete: journal !== null && fold !== null,
    findings: check === undefined ? null : { counts: check.counts, listed: check.findings },
  };
}

/** A manifest that cannot be judged can still be told apart from the one that was signed. */
function reportOtherManifest(documents: BundleDocuments, failures: Failures): void {
  const { envelope, manifestDigest } = documents;
  if (envelope !== null && manifestDigest !== '' && envelope.manifestDigest !== manifestDigest) {
    const message = 'manifest.json does not have the digest that the statement in manifest.dsse.json names';
    const location = { file: 'manifest.json' };
    failures.add({ claim: 'integrity', code: 'CLY_BUNDLE_MANIFEST_DIGEST', message, location });
  }
}

async function readJournal(
  path: string,
  given: { readonly manifest: Manifest; readonly failures: Failures },
  fold: JournalFold | null,
): Promise<JournalResult | null> {
  try {
    const { file } = await openRegular(path);
    try {
      return await verifyJournal(file, given, fold);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof FileError) {
      // The listing has named it already.
      return null;
    }
    throw error;
  }
}

/** What follows a line that cannot be read is not judged, and a claim that was not judged to the end does not hold. */
function reportUnreadable(line: number, inputs: Inputs, failures: Failures): void {
  const message = 'is no line of the format: what follows it cannot be judged';
  const signed = inputs.trustRoot === null ? [] : (['authorship'] as const);
  for (const claim of ['order', 'completeness', 'policy', 'reconciliation', ...signed] as const) {
    failures.add({
      claim,
      code: 'CLY_JOURNAL_UNREADABLE',
      message: `line ${line} ${message}`,
      location: { file: JOURNAL, line },
    });
  }
}

function checkSeals(
  documents: BundleDocuments & { readonly manifest: Manifest },
  found: { inputs: Inputs; journal: JournalResult | null; fold: JournalFold | null },
  failures: Failures,
): void {
  const { manifest } = documents;
  const { inputs, journal, fold } = found;
  // Without a fold to the end the time of the cut is not known: NaN lies in every window, and other claims fail already.
  const isFolded = fold !== null && journal !== null && journal.unreadableLine === null;
  const cutMs = isFolded ? fold.ledger.lastAppendTimeMs : Number.NaN;
  const isEnvelopeSigned =
    inputs.trustRoot === null
      ? null
      : checkAuthorship(
          { documents, manifest, trustRoot: inputs.trustRoot, previous: inputs.previous, cutMs },
          failures,
        );
  const bundle = {
    manifest,
    manifestDigest: documents.manifestDigest,
    root: journal === null ? null : journal.root.toString('hex'),
    isEnvelopeSigned,
  };
  checkSealAgreement(bundle, documents, failures);
  const witnesses = documents.checkpoint?.signatures.filter((signature) => signature.name !== manifest.origin) ?? [];
  if (witnesses.length > 0) {
    const message = 'the checkpoint carries cosignatures, which this version does not judge';
    failures.addUnsupported({
      claim: 'witness',
      code: 'CLY_WITNESS_UNSUPPORTED',
      message,
      location: { file: 'checkpoint' },
    });
  }
}
