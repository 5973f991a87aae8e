// SPDX-License-Identifier: Apache-2.0
import type { Manifest } from '../documents/manifest.ts';
import type { DamagedSegment } from '../journal/segments.ts';
import type { JournalResult } from '../journal/verify-journal.ts';
import type { Failure, Location } from '../report/claim.ts';
import type { Failures } from '../report/failures.ts';
import { JOURNAL } from '../source/bundle-names.ts';

const LINES_SHOWN_MAX = 20;
/** What names a damaged line most closely comes first; what a damaged line drags along comes last. */
const NAMING_ORDER: readonly ((failure: Failure) => boolean)[] = [
  (failure) => failure.claim === 'integrity',
  (failure) => failure.claim === 'authorship',
  (failure) => failure.code === 'CLY_RECONCILE_LINE',
  (failure) => failure.claim === 'order',
];

/** Compares the journal with what the manifest says of it (E11), and places damage as closely as the lines allow. */
export function checkJournalAgreement(manifest: Manifest, journal: JournalResult, failures: Failures): void {
  const isRead = journal.sha256 !== null;
  const isDigestRight = journal.sha256 === manifest.journal.sha256;
  const add = (code: string, message: string, location: Location) =>
    failures.add({ claim: 'integrity', code, message, location });
  const memberOrJournal = (member: string): Location =>
    isDigestRight ? { file: 'manifest.json', member } : { file: JOURNAL };
  const segments = isDigestRight ? [] : journal.segments.damaged.map((segment) => placeOf(segment, failures));
  if (isRead && !isDigestRight) {
    const isSegmented = journal.segments.damagedCount > 0 || journal.size !== manifest.journal.size;
    const elsewhere = isSegmented ? { file: JOURNAL } : { file: 'manifest.json', member: 'journal.sha256' };
    const message = 'journal.jsonl does not have the digest of the manifest';
    add('CLY_BUNDLE_JOURNAL_DIGEST', message, segments[0]?.location ?? elsewhere);
  }
  if (journal.size !== manifest.journal.size) {
    const message = `journal.jsonl has ${journal.size} bytes, the manifest says ${manifest.journal.size}`;
    add('CLY_BUNDLE_JOURNAL_SIZE', message, memberOrJournal('journal.size'));
  }
  if (journal.lines !== manifest.journal.lines) {
    const message = `journal.jsonl has ${journal.lines} lines, the manifest says ${manifest.journal.lines}`;
    add('CLY_BUNDLE_JOURNAL_LINES', message, memberOrJournal('journal.lines'));
  }
  for (const { message, location } of segments) {
    add('CLY_BUNDLE_SEGMENT', message, location);
  }
  if (isDigestRight && journal.segments.damagedCount > 0) {
    const message = 'journal.segments are not those of journal.jsonl, whose digest is right';
    add('CLY_BUNDLE_SEGMENT', message, { file: 'manifest.json', member: 'journal.segments' });
  }
  if (journal.root.toString('hex') !== manifest.root) {
    const message = 'frontier and journal do not give the root of the manifest';
    add('CLY_BUNDLE_ROOT', message, memberOrJournal('root'));
    failures.add({ claim: 'completeness', code: 'CLY_BUNDLE_ROOT', message, location: memberOrJournal('root') });
  }
}

/** The whole segment: a line that other checks name may only be one that does not fit a damaged one before it. */
function placeOf(segment: DamagedSegment, failures: Failures): { message: string; location: Location } {
  const lines = suspectLines(segment, failures);
  const range = `lines ${segment.from} to ${segment.to} are not those of the manifest`;
  const shown = lines.slice(0, LINES_SHOWN_MAX).join(', ');
  const message = lines.length === 0 ? range : `${range}; other checks name line ${shown}`;
  return { message, location: { file: JOURNAL, line: segment.from, lineTo: segment.to } };
}

function suspectLines(segment: DamagedSegment, failures: Failures): readonly number[] {
  const inside = failures.kept.filter(({ location }) => {
    const line = location?.line ?? 0;
    return location?.file === JOURNAL && line >= segment.from && line <= segment.to;
  });
  const linesOf = (named: readonly Failure[]) => [...new Set(named.map((failure) => failure.location?.line ?? 0))];
  for (const isNaming of NAMING_ORDER) {
    const lines = linesOf(inside.filter(isNaming));
    if (lines.length > 0) {
      return lines;
    }
  }
  return linesOf(inside);
}
