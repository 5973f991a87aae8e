// SPDX-License-Identifier: Apache-2.0
import { hexOf } from '@clyra/verifier/testing/primitives';
import { BASE, type ConformanceCase, edited, makeCase } from '../conformance-case.ts';
import { bentHeader, packTar } from '../pack-tar.ts';

const STOPS = 'Anything: reading stops.';
const FILES = BASE.files;

const extra = (
  [name, wanted, why]: readonly [name: string, wanted: readonly [number, string, string], why: string],
  entry: readonly [string, Buffer],
  bend: (header: Buffer) => void = () => undefined,
): ConformanceCase =>
  makeCase([name, wanted, why, STOPS], { tar: packTar(FILES, [{ name: entry[0], bytes: entry[1], bend }]) });
const UNKNOWN = [2, 'integrity', 'CLY_BUNDLE_FILE_UNKNOWN'] as const;
const HEADER = [2, 'integrity', 'CLY_TAR_HEADER'] as const;
const END = [2, 'integrity', 'CLY_TAR_END'] as const;
const NOTHING = Buffer.alloc(0);
const good = packTar(FILES);

export const ARCHIVES: readonly ConformanceCase[] = [
  makeCase([
    'good',
    [0],
    'A bundle that passes all that it can show by itself.',
    'What VERIFY.md lists: truth of facts, time, a second history.',
  ]),
  extra(['abs-path', UNKNOWN, 'A name that leads out of the folder it is unpacked into.'], ['/etc/passwd', NOTHING]),
  extra(['dotdot', UNKNOWN, 'A name that leads out of the folder it is unpacked into.'], ['../checkpoint', NOTHING]),
  extra(['dotdot-inside', UNKNOWN, 'A second name for a file that is there.'], ['artifacts/../checkpoint', NOTHING]),
  extra(
    ['symlink', HEADER, 'A link reads a file of whoever unpacks it.'],
    [`artifacts/${'f'.repeat(64)}`, NOTHING],
    bentHeader((header) => header.write('2', 156, 'latin1')),
  ),
  extra(
    ['hardlink', HEADER, 'A link writes through to another file.'],
    [`artifacts/${'f'.repeat(64)}`, NOTHING],
    bentHeader((header) => header.write('1', 156, 'latin1')),
  ),
  extra(
    ['device', HEADER, 'A device is no file.'],
    [`artifacts/${'f'.repeat(64)}`, NOTHING],
    bentHeader((header) => header.write('3', 156, 'latin1')),
  ),
  extra(
    ['pax-header', HEADER, 'An extension renames what follows, for readers that know it.'],
    [`artifacts/${'f'.repeat(64)}`, NOTHING],
    bentHeader((header) => header.write('x', 156, 'latin1')),
  ),
  makeCase(['duplicate-member', HEADER, 'Two files of one name: readers take the first or the last.', STOPS], {
    tar: packTar(FILES, [{ name: 'journal.jsonl', bytes: NOTHING }]),
  }),
  extra(['case-collision', UNKNOWN, 'One file on some systems, two on others.'], ['Journal.jsonl', NOTHING]),
  extra(['nfc-nfd-collision', HEADER, 'One name in two forms.'], ['artifacts/\u00e9', NOTHING]),
  makeCase(['order-of-files', HEADER, 'Files stand in one order, so that a bundle is one file.', STOPS], {
    tar: packTar(new Map([...FILES].reverse()), [], 'as-given'),
  }),
  extra(
    ['mtime-set', HEADER, 'A header has one form.'],
    [`artifacts/${'f'.repeat(64)}`, NOTHING],
    bentHeader((header) => header.write('00000000001', 136, 'latin1')),
  ),
  extra(
    ['checksum-wrong', HEADER, 'A header that does not sum up.'],
    [`artifacts/${'f'.repeat(64)}`, NOTHING],
    (header) => header.write('000000', 148, 'latin1'),
  ),
  makeCase(['size-beyond-end', END, 'A header that promises more than there is.', STOPS], {
    tar: good.subarray(0, good.length - 2_048),
  }),
  makeCase(['trailing-bytes', END, 'What follows the end is hidden from most readers.', STOPS], {
    tar: Buffer.concat([good, Buffer.alloc(512)]),
  }),
  makeCase(['padding-not-zero', END, 'Bytes between files are a place to hide.', STOPS], { tar: dirtyPadding() }),
  makeCase(['no-end', END, 'An archive without its end may be cut.', STOPS], {
    tar: good.subarray(0, good.length - 1_024),
  }),
  makeCase(
    ['decompression-bomb', HEADER, 'A compressed file under the name of an archive: nothing is ever unpacked.', STOPS],
    {
      tar: Buffer.concat([Buffer.from('1f8b0800000000000003', 'hex'), Buffer.alloc(2_038, 0x5a)]),
    },
  ),
  makeCase(['empty-archive', [2, 'integrity', 'CLY_BUNDLE_FILE_MISSING'], 'Nothing is no bundle.', STOPS], {
    tar: Buffer.alloc(1_024),
  }),
  makeCase(
    [
      'undeclared-extra-file',
      [1, 'integrity', 'CLY_BUNDLE_ARTIFACT_UNLISTED'],
      'A file that nobody signed for.',
      'Who put it there.',
    ],
    { bend: (files) => files.set(`artifacts/${hexOf('x')}`, Buffer.from('x')) },
  ),
  makeCase(
    [
      'missing-artifact',
      [1, 'integrity', 'CLY_BUNDLE_ARTIFACT_MISSING'],
      'A policy that is not there.',
      'What it said.',
    ],
    { bend: (files) => files.delete(`artifacts/${BASE.builder.policyDigest}`) },
  ),
  makeCase(
    [
      'artifact-digest-other',
      [1, 'integrity', 'CLY_BUNDLE_ARTIFACT_DIGEST'],
      'Other bytes under the name.',
      'Who changed them.',
    ],
    {
      bend: (files) =>
        files.set(`artifacts/${BASE.builder.policyDigest}`, Buffer.from(BASE.builder.policy.replace('note', 'nose'))),
    },
  ),
  makeCase(
    [
      'digest-ok-size-wrong',
      [1, 'integrity', 'CLY_BUNDLE_ARTIFACT_SIZE'],
      'A size that is not the file’s.',
      'Which of both was changed.',
    ],
    { bundle: edited({ manifest: (manifest) => (manifest.artifacts[0].size += 1) }) },
  ),
  makeCase(['journal-missing', [2, 'integrity', 'CLY_BUNDLE_FILE_MISSING'], 'A bundle without its lines.', STOPS], {
    bend: (files) => files.delete('journal.jsonl'),
  }),
  makeCase(['dir-symlink', [2, 'integrity', 'CLY_BUNDLE_FILE_KIND'], 'A link in a folder is never followed.', STOPS], {
    steps: [
      { op: 'remove', name: 'checkpoint' },
      { op: 'symlink', name: 'checkpoint', target: 'manifest.json' },
    ],
  }),
  makeCase(['dir-fifo', [2, 'integrity', 'CLY_BUNDLE_FILE_KIND'], 'A pipe would be waited for.', STOPS], {
    steps: [
      { op: 'remove', name: 'checkpoint' },
      { op: 'fifo', name: 'checkpoint' },
    ],
  }),
  makeCase(['dir-unknown-file', UNKNOWN, 'A file that is none of a bundle.', STOPS], {
    steps: [{ op: 'write', name: 'notes.txt', text: 'x' }],
  }),
  makeCase(['dir-file-for-folder', [2, 'integrity', 'CLY_BUNDLE_FILE_KIND'], 'A file where a folder must be.', STOPS], {
    steps: [{ op: 'write', name: 'times', text: 'x' }],
  }),
];

function dirtyPadding(): Buffer {
  const bytes = Buffer.from(good);
  const { length } = FILES.get('manifest.json') as Buffer;
  bytes[512 + length] = 1;
  return bytes;
}
