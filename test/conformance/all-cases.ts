// SPDX-License-Identifier: Apache-2.0
import { ARCHIVES } from './cases/archives.ts';
import { carriedCases } from './cases/carried.ts';
import { CORRELATIONS } from './cases/correlation.ts';
import { delegations } from './cases/delegations.ts';
import { disclosures, exportCases, manifestCases, policyCases } from './cases/documents.ts';
import { LIMITS, RECORDS } from './cases/records.ts';
import { replays } from './cases/replays.ts';
import { ROTATIONS } from './cases/rotations.ts';
import { RECONCILIATION, RUNS } from './cases/runs.ts';
import { SIGNATURES } from './cases/signatures.ts';
import { CROSS_BUNDLE, TREES } from './cases/trees.ts';
import { TRUST } from './cases/trust.ts';
import { witnesses } from './cases/witnesses.ts';
import type { ConformanceCase } from './conformance-case.ts';

export const ALL_CASES: readonly ConformanceCase[] = [
  ...ARCHIVES,
  ...RECORDS,
  ...LIMITS,
  ...TREES,
  ...CROSS_BUNDLE,
  ...RUNS,
  ...RECONCILIATION,
  ...CORRELATIONS,
  ...SIGNATURES,
  ...TRUST,
  ...witnesses(),
  ...delegations(),
  ...ROTATIONS,
  ...replays(),
  ...manifestCases(),
  ...policyCases(),
  ...disclosures(),
  ...exportCases(),
  ...carriedCases(),
];
