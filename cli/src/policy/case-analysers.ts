// SPDX-License-Identifier: Apache-2.0
import type { Analysers } from '@clyra/core/inspection/inspect-request';
import type { CompiledPolicy } from '@clyra/core/policy/policy';
import { loadAnalysers } from '@clyra/intake/analysers';

/** The parsers and packs of an intake, where a rule of the policy asks for them: they take half a second to load. */
export async function caseAnalysers({ policy }: CompiledPolicy, packs?: string): Promise<Analysers | undefined> {
  const isAsked = policy.sql_safety.length > 0 || policy.detectors.length > 0;
  return isAsked ? loadAnalysers(packs) : undefined;
}
