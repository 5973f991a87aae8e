// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '../checks/derived-lines.ts';
import type { Mode } from '../checks/signature-check.ts';
import type { Inputs } from '../inputs.ts';
import type { LineUse } from '../journal/plain-line.ts';
import type { MatchStatus } from '../ledger/judge.ts';
import type { ClaimId } from '../report/claim.ts';
import type { Failures } from '../report/failures.ts';
import type { Standing, Standings } from '../report/standing.ts';
import { JOURNAL } from '../source/bundle-names.ts';
import type { BundleSource } from '../source/bundle-source.ts';
import type { KeyBook } from '../trust/delegations.ts';
import type { Policies } from './load-carried.ts';
import type { Documents } from './load-documents.ts';

export interface Findings {
  readonly counts: Readonly<Record<MatchStatus, number>>;
  readonly listed: readonly Finding[];
}

/** Everything that the parts of a judgement share. */
export interface Bundle {
  readonly source: BundleSource;
  readonly documents: Documents;
  readonly inputs: Inputs;
  readonly mode: Mode;
  readonly keys: KeyBook | null;
  /** Append time of the cut; null when the last line does not say it. */
  readonly cutMs: number | null;
  readonly sound: ReadonlySet<string>;
  readonly policies: Policies;
}

/** What judging the lines came to; the rest of the claims follows when `finish` is called, after the seals. */
export interface JudgedLines {
  readonly journalRoot: string;
  readonly findings: Findings | null;
  finish(): Promise<Standings>;
}

export const ABSENT_DISCLOSURE: Standing = {
  status: 'ABSENT',
  code: 'CLY_DISCLOSURE_ABSENT',
  message: 'none was passed',
};
export const ABSENT_TRUST_ROOT: Standing = {
  status: 'ABSENT',
  code: 'CLY_TRUST_ROOT_ABSENT',
  message: 'no trust root was passed',
};

/** What of the lines will be looked at. */
export function useOf({ inputs, keys, mode }: Bundle): LineUse {
  return { signatures: keys !== null && mode === 'full', facts: inputs.disclosures !== null };
}

/** A claim that was not judged to the end does not hold. */
export function failAll(
  claims: readonly ClaimId[],
  { code, message }: { readonly code: string; readonly message: string },
  given: { readonly bundle: Bundle; readonly failures: Failures },
): void {
  const signed: readonly ClaimId[] = given.bundle.inputs.trustRoot === null ? [] : ['authorship'];
  for (const claim of [...claims, ...signed]) {
    given.failures.add({ claim, code, message, location: { file: JOURNAL } });
  }
}
