// SPDX-License-Identifier: Apache-2.0
import type { Manifest } from '../documents/manifest.ts';
import type { DamagedSegment } from '../journal/segments.ts';
import { JOURNAL, type JournalResult } from '../journal/verify-journal.ts';
import type { Failure } from '../report/claim.ts';
import type { Failures } from '../report/failures.ts';

const LINES_SHOWN_MAX = 20;
/** What names a damaged line most closely comes first; what a damaged line drags along comes last. */
const NAMING_ORDER: readonly ((failure: Failure) => boolean)[] = [
  (failure) => failure.claim === 'integrity',
  (failure) => failure.claim === 'authorship',
  (failure) => failure.code === 'CLY_RECONCILE_LINE',
  (failure) => failure.claim === 'order',
];

/** Compares the journal with what the manifest says of it, and places damage as closely as the other checks allow. */
export function checkJournalAgreement(manifest: Manifest, journal: JournalResult, failures: Failures): void {
  const isDigestRight = journal.sha256 === manifest.journal.sha256;
  if (!isDigestRight) {
    for (const segment of journal.segments.damaged) {
      reportSegment(segment, failures);
    }
    const hidden = journal.segments.damagedCount - journal.segments.damaged.length;
    const message = `journal.jsonl does not have the digest of the manifest${hidden > 0 ? ` (${hidden} more damaged segments)` : ''}`;
    const isSegmented = journal.segments.damagedCount > 0 || journal.size !== manifest.journal.size;
    const place = isSegmented ? { file: JOURNAL } : { file: 'manifest.json', member: 'journal.sha256' };
    failures.add({ claim: 'integrity', code: 'CLY_BUNDLE_JOURNAL_DIGEST', message, location: place });
  } else if (journal.segments.damagedCount > 0) {
    reportMember(failures, 'journal.segments', 'are not those of journal.jsonl, whose digest is right');
  }
  if (journal.size !== manifest.journal.size) {
    const message = `journal.jsonl has ${journal.size} bytes, the manifest says ${manifest.journal.size}`;
    failures.add({
      claim: 'integrity',
      code: 'CLY_BUNDLE_JOURNAL_SIZE',
      message,
      location: memberOrJournal(isDigestRight, 'journal.size'),
    });
  }
  if (journal.lines !== manifest.journal.lines) {
    const message = `journal.jsonl has ${journal.lines} lines, the manifest says ${manifest.journal.lines}`;
    failures.add({
      claim: 'integrity',
      code: 'CLY_BUNDLE_JOURNAL_LINES',
      message,
      location: memberOrJournal(isDigestRight, 'journal.lines'),
    });
  }
  if (journal.root.toString('hex') !== manifest.root) {
    const message = 'frontier and journal do not give the root of the manifest';
    const place = memberOrJournal(isDigestRight, 'root');
    failures.add({ claim: 'integrity', code: 'CLY_BUNDLE_ROOT', message, location: place });
    failures.add({ claim: 'completeness', code: 'CLY_BUNDLE_ROOT', message, location: place });
  }
}

function reportSegment(segment: DamagedSegment, failures: Failures): void {
  const { lines, by } = suspectLines(segment, failures);
  const range = `lines ${segment.from} to ${segment.to} are not those of the manifest`;
  const [only] = lines;
  const isOne = lines.length === 1 && only !== undefined;
  const place = isOne ? { line: only } : { line: segment.from, lineTo: segment.to };
  const message = lines.length === 0 ? range : `${range}; ${by} ${lines.slice(0, LINES_SHOWN_MAX).join(', ')}`;
  failures.add({ claim: 'integrity', code: 'CLY_BUNDLE_SEGMENT', message, location: { file: JOURNAL, ...place } });
}

function suspectLines(segment: DamagedSegment, failures: Failures): { lines: readonly number[]; by: string } {
  const inside = failures.kept.filter(({ location }) => {
    const line = location?.line ?? 0;
    return location?.file === JOURNAL && line >= segment.from && line <= segment.to;
  });
  const linesOf = (named: readonly Failure[]) => [...new Set(named.map((failure) => failure.location?.line ?? 0))];
  for (const isNaming of NAMING_ORDER) {
    const lines = linesOf(inside.filter(isNaming));
    if (lines.length > 0) {
      return { lines, by: 'other checks name line' };
    }
  }
  return segment.loose.length > 0
    ? { lines: segment.loose, by: 'the append time is not the decision time in line' }
    : { lines: linesOf(inside), by: 'other checks name line' };
}

function memberOrJournal(isDigestRight: boolean, member: string): { file: string; member?: string } {
  return isDigestRight ? { file: 'manifest.json', member } : { file: JOURNAL };
}

/** A member of the manifest that can be computed anew and is another. */
export function reportMember(failures: Failures, member: string, message: string): void {
  const place = { file: 'manifest.json', member };
  failures.add({
    claim: 'integrity',
    code: 'CLY_BUNDLE_MANIFEST_MEMBER',
    message: `${member} ${message}`,
    location: place,
  });
}
