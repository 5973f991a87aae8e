// SPDX-License-Identifier: Apache-2.0
import type { Edits, LogBuilder } from '@clyra/verifier/testing/log-builder';
import { canonical, hexOf, type Loose } from '@clyra/verifier/testing/primitives';
import {
  BASE,
  type CaseHead,
  type ConformanceCase,
  edited,
  editedSecond,
  journal,
  makeCase,
} from '../conformance-case.ts';

const OPEN = 'That the versions of the trust root were signed by those who had to: its reader has pinned one of them.';
const FIRST = BASE.trustRoot;
const SECOND = following([FIRST]);
const THIRD = following([FIRST, SECOND]);
const ONE = hexOf(FIRST);
const TWO = hexOf(SECOND);
const THREE = hexOf(THIRD);

/** The version that comes after those given, with the same keys. */
function following(before: readonly Buffer[]): Buffer {
  const root = JSON.parse(String(FIRST));
  return Buffer.from(canonical({ ...root, version: before.length + 1, history: before.map((one) => hexOf(one)) }));
}

const BOTH = ['operator', 'operator2'] as const;

type By = { readonly by?: readonly string[]; readonly receipt?: Loose };

function activate(builder: LogBuilder, members: Loose, { by = BOTH, receipt }: By = {}): void {
  const signers = by.map((name) => builder.keys[name] as LogBuilder['keys']['log']);
  const answer = receipt ?? { policy_digest: builder.policyDigest };
  builder.command('trust_root.activated', members, { signers, subject: 'olga', receipt: answer });
}

const activating = (members: Loose, by: readonly string[] = BOTH): Edits => ({
  more: (builder) => activate(builder, members, { by }),
});
const next = { trust_root: TWO, replaces: ONE };
const OTHER = [1, 'authorship', 'CLY_TRUST_ROOT_OTHER'] as const;
const rotation = ([name, wanted, why]: CaseHead, edits: Edits, passed: Buffer): ConformanceCase =>
  makeCase([name, wanted, why, OPEN], { bundle: { ...edited(edits), trustRoot: passed } });

/** Versions of the trust root that a log puts in force (trust.md §3). */
export const ROTATIONS: readonly ConformanceCase[] = [
  rotation(
    ['root-activated', [0], 'Two operators put the next version of the trust root in force.'],
    activating(next),
    SECOND,
  ),
  rotation(
    ['root-activated-later-passed', [0], 'The reader knows a version after the one that was put in force.'],
    activating(next),
    THIRD,
  ),
  rotation(
    ['root-activated-earlier-passed', OTHER, 'The reader’s version does not know the one that was put in force.'],
    activating(next),
    FIRST,
  ),
  rotation(
    [
      'root-activated-one-operator',
      [1, 'authorship', 'CLY_COMMAND_ROLE'],
      'One operator alone changes who is trusted.',
    ],
    activating(next, ['operator']),
    SECOND,
  ),
  rotation(
    ['root-activated-same-subject', [1, 'authorship', 'CLY_COMMAND_ROLE'], 'The same operator signs twice.'],
    activating(next, ['operator', 'operator']),
    SECOND,
  ),
  rotation(
    ['root-activated-by-approvers', [1, 'authorship', 'CLY_COMMAND_SIGNER'], 'The first signer is not its subject.'],
    activating(next, ['approver', 'author']),
    SECOND,
  ),
  rotation(
    ['root-activated-skips', OTHER, 'A version is left out: its revocations were never in force.'],
    activating({ trust_root: THREE, replaces: ONE }),
    THIRD,
  ),
  rotation(
    ['root-activated-replaces-other', OTHER, 'It replaces a version that is not in force.'],
    activating({ trust_root: THREE, replaces: TWO }),
    THIRD,
  ),
  rotation(
    ['root-activated-replaces-null', OTHER, 'It does not say what it replaces.'],
    activating({ trust_root: TWO, replaces: null }),
    SECOND,
  ),
  rotation(
    ['root-activated-replaces-list', OTHER, 'What it replaces is no digest.'],
    activating({ trust_root: TWO, replaces: [ONE] }),
    SECOND,
  ),
  rotation(
    ['root-activated-none', OTHER, 'It names no version: none is put in force, and the command must not be allowed.'],
    activating({ replaces: ONE }),
    SECOND,
  ),
  rotation(
    ['root-activated-same', OTHER, 'It puts in force what is in force.'],
    activating({ trust_root: ONE, replaces: ONE }),
    SECOND,
  ),
  rotation(
    ['root-rolled-back', OTHER, 'A log goes back to a version that others have followed.'],
    {
      more: (builder) => {
        activate(builder, next);
        activate(builder, { trust_root: ONE, replaces: TWO });
      },
    },
    SECOND,
  ),
  rotation(
    ['root-activated-twice', [0], 'Two versions, one after the other.'],
    {
      more: (builder) => {
        activate(builder, next);
        activate(builder, { trust_root: THREE, replaces: TWO });
      },
    },
    THIRD,
  ),
  rotation(
    ['root-activated-again', OTHER, 'The same step twice: the second replaces what is no longer in force.'],
    {
      more: (builder) => {
        activate(builder, next);
        activate(builder, next);
      },
    },
    SECOND,
  ),
  rotation(
    ['root-activation-refused', [0], 'A refused command puts nothing in force, whatever it names.'],
    {
      more: (builder) =>
        activate(
          builder,
          { trust_root: THREE, replaces: TWO },
          {
            by: ['operator'],
            receipt: {
              decision: 'block',
              policy_digest: builder.policyDigest,
              reasons: [{ code: 'CLY_COMMAND_TWO_PERSONS', effect: 'block', rule: 'commands' }],
            },
          },
        ),
    },
    FIRST,
  ),
  rotation(
    [
      'root-activated-manifest-before',
      [1, 'integrity', 'CLY_BUNDLE_MANIFEST_MEMBER'],
      'The manifest names the version before the one that the log ends with.',
    ],
    { ...activating(next), manifest: (manifest) => (manifest.trust_root = ONE) },
    SECOND,
  ),
  makeCase(['root-activated-unopened', OTHER, 'Without its opening a log has no version in force to replace.', OPEN], {
    bundle: { ...edited(activating(next)), trustRoot: SECOND },
    bend: journal((lines) => lines.shift()),
  }),
  makeCase(
    [
      'root-activated-before-range',
      OTHER,
      'What a bundle of the middle replaces is held against its opening ledger.',
      OPEN,
    ],
    { bundle: { ...editedSecond(activating({ trust_root: THREE, replaces: TWO })), trustRoot: THIRD } },
  ),
  makeCase(['root-activated-in-the-middle', [0], 'The version in force stands in the opening ledger.', OPEN], {
    bundle: { ...editedSecond(activating(next)), trustRoot: SECOND },
  }),
];
