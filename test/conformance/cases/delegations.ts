// SPDX-License-Identifier: Apache-2.0
import { type Loose, makeKey, type TestKey } from '@clyra/verifier/testing/primitives';
import { type CaseHead, type ConformanceCase, edited, makeCase } from '../conformance-case.ts';

const OPEN = 'That the key was never in other hands.';

export function delegations(): readonly ConformanceCase[] {
  const lent = makeKey(['recorder'], 'process-1');
  const command = (members: Loose = {}): Loose => ({
    key: {
      alg: 'ed25519',
      key_id: lent.keyId,
      public_key: lent.publicKey.toString('base64'),
      roles: ['recorder'],
      valid_from: 900_000,
      valid_to: 2_000_000,
      ...members,
    },
  });
  const make = ([name, wanted, why]: CaseHead, members: Loose | null) =>
    makeCase([name, wanted, why, OPEN], {
      bundle: edited({
        more: (builder) => {
          if (members !== null) {
            builder.command('key.delegated', command(members), {
              signers: [builder.keys.delegator as TestKey],
              subject: 'kms',
            });
          }
          builder.observe(
            'watermark',
            { system_id: 'sys', timeline: 1, lsn: '0/1', covers_until: 1, source_id: 'aa' },
            lent,
          );
        },
      }),
    });
  return [
    make(['delegated-key', [0], 'A key of a process, lent by a key that a KMS holds.'], {}),
    make(['delegation-missing', [1, 'authorship', 'CLY_KEY_UNKNOWN'], 'A key that nobody lent.'], null),
    make(
      [
        'delegation-of-other-role',
        [1, 'authorship', 'CLY_KEY_ROLE'],
        'A key signs only in the roles that it was lent.',
      ],
      { roles: ['intake'] },
    ),
    make(['delegation-over', [1, 'authorship', 'CLY_KEY_TIME'], 'A key signed after its loan ended.'], {
      valid_to: 1_000_050,
    }),
    make(['delegation-too-long', [1, 'authorship', 'CLY_KEY_UNKNOWN'], 'A loan longer than loans are lends nothing.'], {
      valid_from: 0,
      valid_to: 604_800_001,
    }),
  ];
}
