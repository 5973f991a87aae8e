// SPDX-License-Identifier: Apache-2.0
import type { Manifest } from '../documents/manifest.ts';
import type { DamagedSegment } from '../journal/segments.ts';
import { JOURNAL, type JournalResult } from '../journal/verify-journal.ts';
import type { ClaimId } from '../report/claim.ts';
import type { Failures } from '../report/failures.ts';

/** The claims whose checks point most closely at a damaged line come first. */
const NAMING_ORDER: readonly ClaimId[] = [
  'integrity',
  'authorship',
  'reconciliation',
  'order',
  'completeness',
  'policy',
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
  const named = namedLines(segment, failures);
  const place = { file: JOURNAL, line: segment.from, lineTo: segment.to };
  const range = `lines ${segment.from} to ${segment.to} are not those of the manifest`;
  const [only] = named;
  if (named.length === 1 && only !== undefined) {
    failures.add({
      claim: 'integrity',
      code: 'CLY_BUNDLE_SEGMENT',
      message: `${range}; other checks name line ${only}`,
      location: {
        ...place,
        line: only,
        lineTo: only,
      },
    });
  } else if (named.length > 1) {
    failures.add({
      claim: 'integrity',
      code: 'CLY_BUNDLE_SEGMENT',
      message: `${range}; other checks name lines ${named.join(', ')}`,
      location: place,
    });
  } else if (segment.loose.length > 0) {
    const message = `${range}; candidates by append_time other than decided_at: lines ${segment.loose.join(', ')}`;
    const [loose] = segment.loose;
    const isOne = segment.loose.length === 1 && loose !== undefined;
    failures.add({
      claim: 'integrity',
      code: 'CLY_BUNDLE_SEGMENT',
      message,
      location: isOne ? { ...place, line: loose, lineTo: loose } : place,
    });
  } else {
    failures.add({ claim: 'integrity', code: 'CLY_BUNDLE_SEGMENT', message: range, location: place });
  }
}

function namedLines(segment: DamagedSegment, failures: Failures): readonly number[] {
  for (const claim of NAMING_ORDER) {
    const lines = failures.kept
      .filter((failure) => failure.claim === claim && failure.location?.file === JOURNAL)
      .map((failure) => failure.location?.line ?? 0)
      .filter((line) => line >= segment.from && line <= segment.to);
    if (lines.length > 0) {
      return [...new Set(lines)];
    }
  }
  return [];
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
