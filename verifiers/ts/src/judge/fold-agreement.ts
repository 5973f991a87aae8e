// SPDX-License-Identifier: Apache-2.0
import { coverageOf } from '../checks/coverage.ts';
import { totalsOf } from '../checks/reconciliation-totals.ts';
import type { BundleManifest } from '../documents/manifest.ts';
import type { JournalFold } from '../journal/journal-fold.ts';
import { differingMember } from '../json/differing-member.ts';
import { encodeCanonical } from '../json/encode.ts';
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import { digestLedger } from '../ledger/encode-ledger.ts';
import type { Failures } from '../report/failures.ts';
import { JOURNAL } from '../source/bundle-names.ts';

/** Compares what the manifest states with what the fold of the journal gave (verification.md §3, E12 and E13). */
export function checkFoldAgreement(
  given: { readonly manifest: BundleManifest; readonly fold: JournalFold; readonly sound: ReadonlySet<string> },
  failures: Failures,
): void {
  const { manifest, fold } = given;
  checkCut(manifest, fold, failures);
  checkClosingLedger(given, failures);
  const expected = expectedMembers(fold);
  for (const [member, value] of Object.entries(expected)) {
    if (encodeCanonical(value) !== encodeCanonical(manifest.value[member] ?? null)) {
      reportMember(failures, member, [value, manifest.value[member]]);
    }
  }
  checkUnnamed(manifest, fold, failures);
  checkTotals(manifest, fold, failures);
  checkSeparation(manifest, fold, failures);
}

function checkCut(manifest: BundleManifest, fold: JournalFold, failures: Failures): void {
  const kind = fold.lastCut?.receipt.read.change_kind;
  const isSealed = kind === 'run.closed' || (kind === 'window.closed' && manifest.journal.lines > 1);
  if (!isSealed) {
    const location = { file: JOURNAL, line: manifest.journal.lines };
    failures.add({
      claim: 'completeness',
      code: 'CLY_BUNDLE_CUT',
      message: 'the last line is no sealed cut',
      location,
    });
  }
}

function checkClosingLedger(
  given: { readonly manifest: BundleManifest; readonly fold: JournalFold; readonly sound: ReadonlySet<string> },
  failures: Failures,
): void {
  const { manifest, fold, sound } = given;
  const digest = manifest.closing_ledger;
  const isThere = sound.has(digest) && manifest.artifacts.some((one) => one.kind === 'ledger' && one.sha256 === digest);
  if (!isThere || digestLedger(fold.ledger) !== digest) {
    const message = 'the fold of the lines does not give the closing ledger, or it is no artifact';
    const location = { file: 'manifest.json', member: 'closing_ledger' };
    failures.add({ claim: 'completeness', code: 'CLY_LEDGER_CLOSING', message, location });
  }
}

/** Members that follow from the lines, in the order of the table in bundle.md §3. */
function expectedMembers(fold: JournalFold): Readonly<Record<string, JsonValue>> {
  const { checks, ledger } = fold;
  const closed = checks.chain.closedRuns.map(({ run_id, count }) => ({ run_id, count }));
  const profiles = [...(ledger.sources.size > 0 ? ['def/v0'] : []), ...(checks.metrics.hasRequests ? ['pef/v0'] : [])];
  const cut = fold.lastCut;
  return {
    profiles,
    ...(cut === null ? {} : { cut: cutOf(cut.receipt.read) }),
    documents: { named: checks.documents.named, held: checks.documents.held },
    policies: [...checks.policy.inForce],
    ...(cut === null ? {} : { engine: cut.decision?.engine ?? null }),
    trust_root: ledger.trustRoot,
    runs: { closed, open: [...ledger.runs.keys()].sort() },
    decisions: fold.decisions,
    coverage: [...coverageOf(ledger, checks.sources.gapCounts)],
    gaps: checks.sources.gaps,
    outages: checks.sources.outages,
    ...checks.metrics.result(),
  };
}

type Cut = NonNullable<JournalFold['lastCut']>['receipt']['read'];

export function cutOf(read: Cut): JsonObject {
  const { change_kind: kind, offset, partition, state_digest: state, receipt_id: receiptId } = read;
  return { kind, offset, partition, state_digest: state ?? null, receipt_id: receiptId };
}

/** Each artifact must have a reason to be there (bundle.md §4). */
function checkUnnamed(manifest: BundleManifest, fold: JournalFold, failures: Failures): void {
  const { documents, policy } = fold.checks;
  const isNamed: Readonly<Record<string, (sha256: string) => boolean>> = {
    document: (sha256) => documents.isMentioned(sha256),
    policy: (sha256) => policy.inForce.includes(sha256),
    ledger: (sha256) => sha256 === manifest.opening_ledger || sha256 === manifest.closing_ledger,
  };
  for (const { kind, sha256 } of manifest.artifacts) {
    if (isNamed[kind]?.(sha256) === false) {
      const message = `artifacts/${sha256} is of kind ${kind}, but nothing names it`;
      const location = { file: `artifacts/${sha256}` };
      failures.add({ claim: 'integrity', code: 'CLY_BUNDLE_ARTIFACT_UNNAMED', message, location });
    }
  }
}

function checkTotals(manifest: BundleManifest, fold: JournalFold, failures: Failures): void {
  const expected = totalsOf(fold.ledger, fold.checks.reconciliation);
  const stated = manifest.value.reconciliation as JsonObject;
  const member = differingMember(expected, stated);
  if (member !== null) {
    const message = `reconciliation.${member} must be ${encodeCanonical(expected[member] ?? null)}`;
    const location = { file: 'manifest.json', member: `reconciliation.${member}` };
    failures.add({ claim: 'reconciliation', code: 'CLY_RECONCILE_TOTAL', message, location });
  }
}

function checkSeparation(manifest: BundleManifest, fold: JournalFold, failures: Failures): void {
  const { shared } = fold.checks.separation;
  if (manifest.separation !== 'none' && shared !== null) {
    const message = `key ${shared} signs in two parts that the manifest says are apart`;
    const location = { file: 'manifest.json', member: 'separation' };
    failures.add({ claim: 'authorship', code: 'CLY_SEPARATION_KEYS', message, location });
  }
}

/** A member that can be computed anew and is another: the innermost one that differs is named. */
export function reportMember(
  failures: Failures,
  member: string,
  pair: readonly [expected: JsonValue, stated: JsonValue | undefined],
): void {
  const [expected, stated] = pair;
  const inner =
    isPlain(expected) && isPlain(stated) ? differingMember(expected as JsonObject, stated as JsonObject) : null;
  const path = inner === null ? member : `${member}.${inner}`;
  const value = inner === null ? expected : (expected as JsonObject)[inner];
  const message = `${path} must be ${encodeCanonical(value ?? null).slice(0, 200)}`;
  const location = { file: 'manifest.json', member: path };
  failures.add({ claim: 'integrity', code: 'CLY_BUNDLE_MANIFEST_MEMBER', message, location });
}

function isPlain(value: JsonValue | undefined): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
