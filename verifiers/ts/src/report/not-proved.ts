// SPDX-License-Identifier: Apache-2.0

import type { Mode } from '../checks/signature-check.ts';
import type { Manifest } from '../documents/manifest.ts';
import type { TrustRoot } from '../trust/trust-root.ts';

/** What even a valid verdict leaves open, in plain words. Mandatory output. */
export function listNotProved(
  manifest: Manifest | null,
  given: { readonly trustRoot: TrustRoot | null; readonly mode: Mode; readonly hasPrevious: boolean },
): readonly string[] {
  const always = [
    'That the facts about a request are true: they are statements signed by intake, and payloads are digests here.',
    'When anything happened: append times are the broker’s, and no outside time-stamp bounds them.',
    'That the log has no second version: without a witness, whoever holds all keys could have written another.',
    'That the decisions follow from the policy and the state digests from the decisions: that needs the engine.',
    'Anything about changes that went around the guarded relations, or after the horizon of their source.',
    'What VERIFY.md says: it is not signed.',
  ];
  const at: readonly (readonly [boolean, string])[] = [
    [given.trustRoot === null, 'Who made the bundle: no trust root was passed, so no signature was judged.'],
    [
      given.trustRoot !== null && given.mode === 'head',
      'Who signed the lines between cuts: mode head judges the signatures of cuts only.',
    ],
    [
      given.trustRoot?.singleOperator === true,
      'That two people acted where two signed: the trust root has a single operator.',
    ],
    [
      manifest !== null && manifest.range.start > 0 && !given.hasPrevious,
      'That the bundle continues the one before: no previous checkpoint was passed.',
    ],
    [manifest?.separation === 'none', 'That intake, enforcer and recorder are apart: they ran in one process.'],
    [
      manifest?.reconciliation.state === 'provisional',
      'That all effects were seen: a source was still behind the last outcome (provisional).',
    ],
    [(manifest?.gaps.length ?? 0) > 0, 'What happened in the gaps that the sources declared.'],
    [(manifest?.runs.open.length ?? 0) > 0, 'How the runs end that are open at the end of the range.'],
  ];
  return [...always, ...at.filter(([holds]) => holds).map(([, text]) => text)];
}
