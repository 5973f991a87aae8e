// SPDX-License-Identifier: Apache-2.0
import type { Mode } from '../checks/signature-check.ts';
import type { Manifest } from '../documents/manifest.ts';
import type { TrustRoot } from '../trust/trust-root.ts';
import type { Claim, ClaimId } from './claim.ts';

interface Given {
  readonly trustRoot: TrustRoot | null;
  readonly claims: readonly Claim[];
  readonly mode: Mode;
  readonly hasPrevious: boolean;
}

/** What even a valid verdict leaves open, in plain words. Mandatory output. */
export function listNotProved(manifest: Manifest | null, given: Given): readonly string[] {
  const always = [
    'That the facts about a request are true: they are statements signed by intake, and payloads are digests here.',
    'Anything about changes that went around the guarded relations, or after the horizon of their source.',
    'What VERIFY.md says: it is not signed.',
  ];
  const said = [...aboutClaims(given), ...aboutReader(manifest, given), ...aboutBundle(manifest)];
  return [...always, ...said.filter(([holds]) => holds).map(([, text]) => text)];
}

type Open = readonly [holds: boolean, text: string];

function aboutClaims({ claims }: Given): readonly Open[] {
  const holds = (id: ClaimId) => claims.find((claim) => claim.id === id)?.status === 'PASS';
  return [
    [!holds('time'), 'When anything happened: append times are the broker’s, and no outside time-stamp bounds them.'],
    [holds('time'), 'How much older than the outside time-stamp the records are: it bounds them from above only.'],
    [
      !holds('witness'),
      'That the log has no second version: without a witness, whoever holds all keys could have written another.',
    ],
    [
      !holds('reperformance'),
      'That the decisions follow from the policy and the state digests from the decisions: no certificate says so.',
    ],
    [!holds('coverage'), 'That the sources could see all that is guarded.'],
  ];
}

function aboutReader(manifest: Manifest | null, { trustRoot, mode, hasPrevious }: Given): readonly Open[] {
  return [
    [trustRoot === null, 'Who made the bundle: no trust root was passed, so no signature was judged.'],
    [
      trustRoot !== null && mode === 'head',
      'Who signed the lines between cuts: mode head judges the signatures of cuts only.',
    ],
    [
      trustRoot?.singleOperator === true,
      'That two people acted where two signed: the trust root has a single operator.',
    ],
    [
      manifest !== null && manifest.range.start > 0 && !hasPrevious,
      'That the bundle continues the one before: no previous checkpoint was passed.',
    ],
  ];
}

function aboutBundle(manifest: Manifest | null): readonly Open[] {
  if (manifest === null || manifest.export !== undefined) {
    return [
      [manifest !== null, 'Anything about the lines that the export leaves out, but that they are leaves of the log.'],
    ];
  }
  return [
    [manifest.separation === 'none', 'That intake, enforcer and recorder are apart: they ran in one process.'],
    [
      manifest.reconciliation.state === 'provisional',
      'That all effects were seen: a source was still behind the last outcome (provisional).',
    ],
    [manifest.gaps.length > 0, 'What happened in the gaps that the sources declared.'],
    [manifest.outages.length > 0, 'What was refused or missed in the outages that the services declared.'],
    [
      manifest.documents.held < manifest.documents.named,
      'What the documents say that lines name and the bundle does not hold.',
    ],
    [manifest.runs.open.length > 0, 'How the runs end that are open at the end of the range.'],
  ];
}
