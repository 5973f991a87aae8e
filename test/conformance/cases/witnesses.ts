// SPDX-License-Identifier: Apache-2.0
import { makeKeys } from '@clyra/verifier/testing/log-builder';
import { hexOf, makeKey, type TestKey } from '@clyra/verifier/testing/primitives';
import { cosign } from '@clyra/verifier/testing/seal';
import { buildStandard } from '@clyra/verifier/testing/standard-bundle';
import { BASE, BASIC, type CaseHead, type ConformanceCase, KEYS, makeCase, type Rest } from '../conformance-case.ts';

export function witnesses(): readonly ConformanceCase[] {
  const checkpoint = BASE.files.get('checkpoint') as Buffer;
  const witness = KEYS.witness as TestKey;
  const line = cosign(checkpoint, witness, 1_500);
  const policy = [...BASIC, 'witness'];
  const make = ([name, wanted, why]: CaseHead, rest: Rest) =>
    makeCase([name, wanted, why, 'That no other witness saw another history.'], { policy, ...rest });
  const inNote = (text: string) => (files: Map<string, Buffer>) =>
    files.set('checkpoint', Buffer.concat([checkpoint, Buffer.from(text)]));
  const twins = {
    ...makeKeys(),
    witness2: makeKey(['witness'], 'willy', { operator: 'elsewhere', name: 'witness.example/w2' }),
  };
  const both = buildStandard({
    keys: twins,
    edits: { trustRoot: (root) => (root.thresholds = { root: 1, tsa: 1, witness: 2 }) },
  });
  const bothLines =
    cosign(both.files.get('checkpoint') as Buffer, witness, 1_500) +
    cosign(both.files.get('checkpoint') as Buffer, twins.witness2, 1_500);
  const asLog = line.replace(
    /(\u2014 \S+ )\S+/,
    `$1${Buffer.concat([Buffer.from('11223344', 'hex'), Buffer.alloc(64)]).toString('base64')}`,
  );
  return [
    make(['witness-good', [0], 'An outside witness cosigned the checkpoint.'], { bend: inNote(line) }),
    make(['witness-in-file', [0], 'A write-once store cannot append to a file.'], {
      bend: (files) => files.set(`cosignatures/${hexOf(line)}`, Buffer.from(line)),
    }),
    make(['witness-absent', [4, 'witness', 'CLY_WITNESS_ABSENT'], 'Absent is never pass.'], {}),
    make(
      ['cosig-wrong-key-type', [4, 'witness', 'CLY_WITNESS_UNKNOWN'], 'A witness’s name over a line of another type.'],
      { bend: inNote(asLog) },
    ),
    make(['cosig-other-checkpoint', [1, 'witness', 'CLY_WITNESS_SIGNATURE'], 'A cosignature of another checkpoint.'], {
      bend: inNote(cosign(Buffer.from('a/b\n1\nAAAA\n'), witness, 1_500)),
    }),
    make(
      ['cosig-file-other-name', [1, 'integrity', 'CLY_BUNDLE_COSIGNATURE'], 'A cosignature is named by its digest.'],
      { bend: (files) => files.set(`cosignatures/${hexOf('x')}`, Buffer.from(line)) },
    ),
    make(
      ['quorum-short-same-operator', [4, 'witness', 'CLY_WITNESS_QUORUM'], 'Two witnesses of one operator are one.'],
      {
        bundle: both,
        bend: (files) =>
          files.set('checkpoint', Buffer.concat([both.files.get('checkpoint') as Buffer, Buffer.from(bothLines)])),
      },
    ),
  ];
}
