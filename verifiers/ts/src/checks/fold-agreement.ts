// SPDX-License-Identifier: Apache-2.0
import type { Manifest } from '../documents/manifest.ts';
import { sha256Hex } from '../hash/sha256.ts';
import type { JournalFold } from '../journal/journal-fold.ts';
import { JOURNAL } from '../journal/verify-journal.ts';
import { encodeCanonical } from '../json/encode.ts';
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import type { Failures } from '../report/failures.ts';
import { reportMember } from './journal-agreement.ts';
import { differingMember, type ReconciliationCheck } from './reconciliation-check.ts';

/** Compares what the manifest states with what the fold of the journal gave. */
export function checkFoldAgreement(manifest: Manifest, fold: JournalFold, failures: Failures): void {
  checkCut(manifest, fold, failures);
  checkClosingLedger(manifest, fold, failures);
  const { chain, policy, reconciliation } = fold.checks;
  compare(failures, 'decisions', [fold.decisions, manifest.decisions]);
  compare(failures, 'gaps', [reconciliation.gaps, manifest.gaps]);
  compare(failures, 'policies', [policy.inForce, manifest.policies]);
  const closed = [...chain.closedRuns].map(([runId, count]) => ({ run_id: runId, count }));
  compare(failures, 'runs.closed', [closed.sort(byRunId), [...manifest.runs.closed].sort(byRunId)]);
  compare(failures, 'runs.open', [[...fold.ledger.runs.keys()].sort(), [...manifest.runs.open].sort()]);
  checkTotals(manifest, fold, failures);
}

function checkCut(manifest: Manifest, fold: JournalFold, failures: Failures): void {
  const cut = fold.lastCut;
  if (cut === null) {
    const place = { file: JOURNAL, line: manifest.journal.lines };
    failures.add({
      claim: 'completeness',
      code: 'CLY_BUNDLE_CUT',
      message: 'the last line is no cut',
      location: place,
    });
    return;
  }
  const { change_kind: kind, offset, partition, state_digest: state, receipt_id: receiptId } = cut.receipt.read;
  const expected = { kind, offset, partition, state_digest: state as string, receipt_id: receiptId };
  compare(failures, 'cut', [expected, manifest.cut]);
  compare(failures, 'engine', [cut.decision?.engine ?? null, manifest.engine]);
}

function checkClosingLedger(manifest: Manifest, fold: JournalFold, failures: Failures): void {
  if (sha256Hex(fold.ledger.encode()) !== manifest.closing_ledger) {
    const message = 'the fold of the lines does not give the closing ledger';
    const place = { file: 'manifest.json', member: 'closing_ledger' };
    failures.add({ claim: 'completeness', code: 'CLY_LEDGER_CLOSING', message, location: place });
  }
}

function checkTotals(manifest: Manifest, fold: JournalFold, failures: Failures): void {
  const { reconciliation: check } = fold.checks;
  const stated = manifest.reconciliation;
  const expected: JsonObject = {
    sources: [...fold.ledger.watermarks.values()].sort(bySourceId) as unknown as JsonValue,
    state: expectedState(manifest, fold, check),
    observations: check.observations,
    guarded: check.guarded,
    ...check.counts,
    pending: fold.ledger.pending.length,
    grants_unused: [...fold.ledger.grants.values()].filter((grant) => grant.used_by === null).length,
  };
  const member = differingMember(expected, stated as unknown as JsonObject);
  if (member !== null) {
    const place = { file: 'manifest.json', member: `reconciliation.${member}` };
    const message = `reconciliation.${member} must be ${encodeCanonical(expected[member] ?? null).slice(0, 200)}`;
    failures.add({ claim: 'reconciliation', code: 'CLY_RECONCILE_TOTAL', message, location: place });
  }
}

/**
 * The ledger carries neither which sources are registered nor when the last outcome came. What stands before the range
 * can therefore only make a bundle more provisional than its own lines show, and a stated `provisional` is accepted there.
 */
function expectedState(manifest: Manifest, fold: JournalFold, check: ReconciliationCheck): string {
  const { lastOutcomeMs } = check;
  const guarded = fold.ledger.guarded.map((source) => source.source_id);
  const behind = guarded.filter((sourceId) => {
    const watermark = fold.ledger.watermarks.get(sourceId);
    const isRegistered = watermark !== undefined || check.registered.has(sourceId);
    return isRegistered && (watermark?.covers_until ?? -1) < (lastOutcomeMs ?? 0);
  });
  const state = lastOutcomeMs === null || behind.length === 0 ? 'final' : 'provisional';
  const mayBeProvisional = manifest.range.start > 0 && manifest.reconciliation.state === 'provisional';
  return mayBeProvisional ? 'provisional' : state;
}

function compare(failures: Failures, member: string, values: readonly [expected: unknown, stated: unknown]): void {
  const [expected, stated] = values.map((value) => encodeCanonical(value as JsonValue));
  if (expected !== stated) {
    reportMember(failures, member, 'is not what the journal gives');
  }
}

function byRunId(left: { run_id: string }, right: { run_id: string }): number {
  return left.run_id < right.run_id ? -1 : 1;
}

function bySourceId(left: { source_id: string }, right: { source_id: string }): number {
  return left.source_id < right.source_id ? -1 : 1;
}
