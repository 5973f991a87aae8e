// SPDX-License-Identifier: Apache-2.0
import type { ClaimId } from '../report/claim.ts';

/** What a check of a line has to say of it. */
export type Report = (failure: {
  readonly claim: ClaimId;
  readonly code: string;
  readonly at: { readonly line: number; readonly member?: string };
  readonly message: string;
}) => void;
