// SPDX-License-Identifier: Apache-2.0
import { standingOfCoverage } from '../checks/coverage.ts';
import { totalsOf } from '../checks/reconciliation-totals.ts';
import { DisclosureCheck } from '../disclosure/disclosure-check.ts';
import type { BundleManifest } from '../documents/manifest.ts';
import { buildFold } from '../journal/build-fold.ts';
import type { JournalFold } from '../journal/journal-fold.ts';
import type { JournalLine, ReplacedLine } from '../journal/line.ts';
import { type JournalResult, verifyJournal } from '../journal/verify-journal.ts';
import type { Failures } from '../report/failures.ts';
import { HOLDS, nothingReached, type Standing, type Standings } from '../report/standing.ts';
import { JOURNAL } from '../source/bundle-names.ts';
import { ABSENT_DISCLOSURE, ABSENT_TRUST_ROOT, type Bundle, failAll, type JudgedLines, useOf } from './bundle.ts';
import { checkFoldAgreement } from './fold-agreement.ts';
import { checkJournalAgreement } from './journal-agreement.ts';
import { checkOpeningState, loadLedger } from './load-carried.ts';
import { checkPrevious } from './previous.ts';
import { judgeReplay } from './replay.ts';

/** Judges the lines of a whole bundle (verification.md §3, E6 to E13). */
export async function judgeRange(bundle: Bundle, manifest: BundleManifest, failures: Failures): Promise<JudgedLines> {
  const { source, inputs, sound, policies, keys, mode } = bundle;
  await checkOpeningState(source, { manifest, sound }, failures);
  const ledger = await loadLedger(source, { manifest, sound, policies }, failures);
  const fold = typeof ledger === 'string' ? null : buildFold({ manifest, mode, keys, ledger, policies }, failures);
  const disclosures = inputs.disclosures === null ? null : new DisclosureCheck(inputs.disclosures, failures);
  const journal = await readJournal(bundle, fold, { disclosures, failures });
  if (typeof ledger === 'string') {
    const claims = ['order', 'policy', 'reconciliation', 'coverage'] as const;
    const message = 'without the opening ledger nothing follows';
    failAll(claims, { code: ledger, message }, { bundle, failures });
  } else if (journal.unreadableLine !== null) {
    const message = `line ${journal.unreadableLine} is no line of the format: what follows it cannot be judged`;
    const claims = ['order', 'completeness', 'policy', 'reconciliation', 'coverage'] as const;
    failAll(claims, { code: 'CLY_JOURNAL_UNREADABLE', message }, { bundle, failures });
  }
  checkJournalAgreement(manifest, journal, failures);
  const isFolded = fold !== null && journal.unreadableLine === null;
  if (isFolded) {
    checkFoldAgreement({ manifest, fold, sound }, failures);
  }
  const findings = fold && { counts: fold.checks.reconciliation.counts, listed: fold.checks.reconciliation.findings };
  return {
    journalRoot: journal.root.toString('hex'),
    findings,
    finish: async () => {
      if (inputs.previous !== null) {
        checkPrevious(manifest, inputs.previous, failures);
      }
      const reperformance = await replayOf(bundle, manifest, failures);
      const disclosure = disclosures?.finish() ?? ABSENT_DISCLOSURE;
      return { ...standingsOf(bundle, isFolded ? fold : null), reperformance, disclosure };
    },
  };
}

function replayOf(bundle: Bundle, manifest: BundleManifest, failures: Failures): Promise<Standing> {
  const { source, documents, inputs, cutMs, keys } = bundle;
  const { manifestDigest } = documents;
  const at = { timeMs: cutMs, trustedMs: keys?.trustedMs ?? null };
  return judgeReplay(source, { manifest, manifestDigest, trustRoot: inputs.trustRoot, at }, failures);
}

async function readJournal(
  bundle: Bundle,
  fold: JournalFold | null,
  given: { readonly disclosures: DisclosureCheck | null; readonly failures: Failures },
): Promise<JournalResult> {
  const { source, documents, mode } = bundle;
  const { disclosures, failures } = given;
  const judge = {
    step: (line: JournalLine | ReplacedLine) => {
      if (line.kind !== 'replaced') {
        fold?.step(line);
      }
      disclosures?.step(line);
    },
  };
  const file = await source.open(JOURNAL);
  try {
    return await verifyJournal(file, { manifest: documents.manifest, mode, use: useOf(bundle), failures }, judge);
  } finally {
    await file.close();
  }
}

/** The claims that the lines decide; a failure outweighs what stands here. */
function standingsOf({ inputs }: Bundle, fold: JournalFold | null): Standings {
  const signed = inputs.trustRoot === null ? ABSENT_TRUST_ROOT : HOLDS;
  return {
    ...nothingReached(),
    integrity: HOLDS,
    order: HOLDS,
    completeness: HOLDS,
    authorship: signed,
    policy: HOLDS,
    reconciliation: fold === null ? HOLDS : standingOfReconciliation(fold),
    coverage: fold === null ? HOLDS : standingOfCoverage(fold.ledger, fold.checks.sources.gapCounts),
  };
}

function standingOfReconciliation({ checks, ledger }: JournalFold): Standing {
  const { unjudged, grantsForgotten } = checks.reconciliation;
  if (unjudged > 0 || grantsForgotten > 0) {
    return { status: 'PARTIAL', code: 'CLY_RECONCILE_UNJUDGED', message: 'not all effects could be judged' };
  }
  return totalsOf(ledger, checks.reconciliation).state === 'provisional'
    ? { status: 'PARTIAL', code: 'CLY_RECONCILE_PROVISIONAL', message: 'a source was behind the last outcome' }
    : HOLDS;
}
