// SPDX-License-Identifier: Apache-2.0
import { digestOf, hexOf, type Loose, treeRoot } from '@clyra/verifier/testing/primitives';
import { makeNote, ORIGIN } from '@clyra/verifier/testing/seal';
import { LINE } from '@clyra/verifier/testing/standard-bundle';
import {
  at,
  BASE,
  type ConformanceCase,
  edited,
  editedSecond,
  journal,
  KEYS,
  makeCase,
  PAIR,
  text,
} from '../conformance-case.ts';

const LEAVES = BASE.next.leaves;
const END = LEAVES.length;
const ROOT = treeRoot(LEAVES);
const note = (size: number, root: Buffer, origin = ORIGIN): Buffer => makeNote(KEYS.log, { origin, size, root });
const DETECTED = 'Who changed it, and what stood there before.';

/** Bitcoin's tree: an odd node is paired with itself. */
function pairedRoot(leaves: readonly Buffer[]): Buffer {
  let level = leaves.map((leaf) => digestOf(Buffer.concat([Buffer.of(0), leaf])));
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let index = 0; index < level.length; index += 2) {
      const left = level[index] as Buffer;
      above.push(digestOf(Buffer.concat([Buffer.of(1), left, level[index + 1] ?? left])));
    }
    level = above;
  }
  return level[0] as Buffer;
}

const bent = (
  [name, code, why]: readonly [name: string, code: string, why: string],
  bend: (lines: string[]) => void,
): ConformanceCase => makeCase([name, [1, 'integrity', code], why, DETECTED], { bend: journal(bend) });
const swap = (lines: string[]) =>
  lines.splice(LINE.blocked, 2, lines[LINE.bypass] as string, lines[LINE.blocked] as string);
const flipped = Buffer.from(ROOT);
flipped[0] = (flipped[0] as number) ^ 1;

export const TREES: readonly ConformanceCase[] = [
  bent(
    ['leaf-flip', 'CLY_BUNDLE_JOURNAL_DIGEST', 'One character of one body.'],
    (lines) => (lines[LINE.blocked] = (lines[LINE.blocked] as string).replace('"rule":"r1"', '"rule":"r2"')),
  ),
  bent(['leaf-swap', 'CLY_BUNDLE_JOURNAL_DIGEST', 'The same lines in another order.'], swap),
  bent(['leaf-dup', 'CLY_BUNDLE_JOURNAL_DIGEST', 'A line twice.'], (lines) =>
    lines.splice(LINE.bypass, 0, lines[LINE.blocked] as string),
  ),
  bent(['leaf-drop-middle', 'CLY_BUNDLE_JOURNAL_DIGEST', 'An omission: the thing that evidence must show.'], (lines) =>
    lines.splice(LINE.blocked, 1),
  ),
  bent(['leaf-drop-last', 'CLY_BUNDLE_JOURNAL_DIGEST', 'A tail cut off.'], (lines) => lines.splice(LINE.runClosed, 1)),
  bent(['leaf-append', 'CLY_BUNDLE_JOURNAL_DIGEST', 'A line that was never sealed.'], (lines) =>
    lines.push(lines[LINE.blocked] as string),
  ),
  makeCase(
    [
      'size-plus-1',
      [1, 'integrity', 'CLY_CHECKPOINT_AGREEMENT'],
      'A checkpoint that claims a leaf more, signed by the log.',
      DETECTED,
    ],
    { bend: (files) => files.set('checkpoint', note(END + 1, ROOT)) },
  ),
  makeCase(
    [
      'size-minus-1',
      [1, 'integrity', 'CLY_CHECKPOINT_AGREEMENT'],
      'A checkpoint that claims a leaf less, signed by the log.',
      DETECTED,
    ],
    { bend: (files) => files.set('checkpoint', note(END - 1, ROOT)) },
  ),
  makeCase(
    [
      'size-leading-zero',
      [2, 'integrity', 'CLY_CHECKPOINT_SHAPE'],
      'A size has one form, or two notes would say the same.',
      DETECTED,
    ],
    { bend: text('checkpoint', (from) => from.replace(`\n${END}\n`, `\n0${END}\n`)) },
  ),
  makeCase(
    [
      'root-flip',
      [1, 'integrity', 'CLY_CHECKPOINT_AGREEMENT'],
      'Another root, signed by the log: a fork in one bundle.',
      DETECTED,
    ],
    { bend: (files) => files.set('checkpoint', note(END, flipped)) },
  ),
  makeCase(
    [
      'second-preimage-node-as-leaf',
      [1, 'integrity', 'CLY_JSON_UTF8'],
      'Two lines replaced by the bytes of the node above them: without the prefix of leaves the root would stay.',
      DETECTED,
    ],
    {
      bend: (files) => {
        const [first, second, ...rest] = LEAVES.map((leaf) => Buffer.concat([leaf, Buffer.from('\n')]));
        const hash = (line: Buffer | undefined) =>
          digestOf(Buffer.concat([Buffer.of(0), (line as Buffer).subarray(0, -1)]));
        files.set('journal.jsonl', Buffer.concat([hash(first), hash(second), Buffer.from('\n'), ...rest]));
      },
    },
  ),
  makeCase(
    [
      'promoted-odd-node',
      [1, 'integrity', 'CLY_BUNDLE_ROOT'],
      'The root of a tree that pairs an odd node with itself, stated in the manifest.',
      DETECTED,
    ],
    { bundle: edited({ manifest: (manifest) => (manifest.root = pairedRoot(LEAVES).toString('hex')) }) },
  ),
  makeCase(
    [
      'empty-root-wrong',
      [1, 'completeness', 'CLY_PREVIOUS_FORK'],
      'The empty tree has one root, the hash of nothing.',
      DETECTED,
    ],
    { previous: note(0, Buffer.alloc(32)) },
  ),
  makeCase(
    [
      'proof-trailing-hash',
      [1, 'authorship', 'CLY_SIG_PATH'],
      'A path with a hash to spare proves whatever one likes.',
      DETECTED,
    ],
    { bundle: edited({ line: at(LINE.blocked, (line) => line.change.sig.path.push(hexOf('x'))) }) },
  ),
  makeCase(
    [
      'segment-flip',
      [1, 'integrity', 'CLY_BUNDLE_SEGMENT'],
      'The manifest places damage by segments, so they must be right.',
      DETECTED,
    ],
    { bundle: edited({ manifest: (manifest) => (manifest.journal.segments = [hexOf('x')]) }) },
  ),
  makeCase(['head-mode-leaf-flip', [1, 'integrity', 'CLY_BUNDLE_ROOT'], 'In head mode the root finds it.', DETECTED], {
    bend: journal((lines) => {
      lines[LINE.blocked] = (lines[LINE.blocked] as string).replace('"rule":"r1"', '"rule":"r2"');
    }),
    mode: 'head',
  }),
  makeCase(
    [
      'head-mode-digest-of-journal',
      [0],
      'In head mode the signed root stands for the bytes of the journal: digest and segments are not computed.',
      'That sha256sum of the journal gives what the manifest says, and where damage would be: full mode does.',
    ],
    {
      bundle: edited({
        manifest: ({ journal: stated }) => Object.assign(stated, { sha256: hexOf('x'), segments: [hexOf('x')] }),
      }),
      mode: 'head',
    },
  ),
];

const second = PAIR.second;
const start = second.manifest.range.start as number;
const first = (PAIR.first.files.get('checkpoint') as Buffer) ?? Buffer.alloc(0);
const across = (
  [name, code, why]: readonly [name: string, code: string, why: string],
  previous: Buffer,
): ConformanceCase =>
  makeCase([name, [1, 'completeness', code], why, 'Which of two logs is the true one.'], { bundle: second, previous });

export const CROSS_BUNDLE: readonly ConformanceCase[] = [
  makeCase(
    ['second-bundle', [0], 'A bundle that continues the checkpoint of the one before.', 'That a third one follows.'],
    { bundle: second, previous: first },
  ),
  makeCase(
    [
      'frontier-flip',
      [1, 'completeness', 'CLY_BUNDLE_ROOT'],
      'Another past under the same lines.',
      'Which past is the true one.',
    ],
    { bundle: editedSecond({ manifest: (manifest: Loose) => (manifest.frontier[0] = hexOf('x')) }) },
  ),
  makeCase(
    [
      'frontier-omitted-nonzero-start',
      [2, 'integrity', 'CLY_MANIFEST_SHAPE'],
      'A range that does not begin at 0 must say what stands before it.',
      'Anything: reading stops.',
    ],
    { bundle: editedSecond({ manifest: (manifest: Loose) => (manifest.frontier = []) }) },
  ),
  makeCase(
    [
      'frontier-too-long',
      [2, 'integrity', 'CLY_MANIFEST_SHAPE'],
      'A hash more than the start has bits.',
      'Anything: reading stops.',
    ],
    { bundle: editedSecond({ manifest: (manifest: Loose) => manifest.frontier.push(hexOf('x')) }) },
  ),
  makeCase(
    [
      'prev-manifest-null',
      [2, 'integrity', 'CLY_MANIFEST_SHAPE'],
      'Only the first bundle has no previous one.',
      'Anything: reading stops.',
    ],
    { bundle: editedSecond({ manifest: (manifest: Loose) => (manifest.previous_manifest = null) }) },
  ),
  across(
    ['range-gap', 'CLY_PREVIOUS_GAP', 'Lines between the reader’s checkpoint and the range were never shown.'],
    note(start - 1, ROOT),
  ),
  across(
    ['range-overlap', 'CLY_PREVIOUS_OVERLAP', 'The reader has seen further than the range begins.'],
    note(start + 1, ROOT),
  ),
  across(
    ['fork-same-size-other-root', 'CLY_PREVIOUS_FORK', 'Two histories of one size, both signed.'],
    note(start, flipped),
  ),
  across(
    ['rollback-smaller-size', 'CLY_PREVIOUS_OVERLAP', 'The reader has seen a longer log than this one.'],
    note(start + 100, ROOT),
  ),
  across(
    ['origin-changed', 'CLY_PREVIOUS_ORIGIN', 'A checkpoint of another log proves nothing here.'],
    note(start, ROOT, 'clyra.example/other'),
  ),
  makeCase(
    [
      'opening-ledger-missing',
      [1, 'completeness', 'CLY_LEDGER_OPENING'],
      'Without what came before, no line can be judged.',
      'Anything about the lines.',
    ],
    { bundle: second, bend: (files) => files.delete(`artifacts/${second.manifest.opening_ledger}`) },
  ),
  makeCase(
    [
      'opening-ledger-other',
      [1, 'order', 'CLY_CHAIN_LINK'],
      'A ledger whose chain head is another one.',
      'Which of both was changed.',
    ],
    { bundle: raceLedger() },
  ),
  makeCase(
    [
      'state-missing',
      [1, 'completeness', 'CLY_STATE_ARTIFACT'],
      'A replay must be able to start.',
      'That a replay gives the same.',
    ],
    {
      bundle: editedSecond({
        manifest: (manifest: Loose) =>
          (manifest.artifacts = manifest.artifacts.filter((one: Loose) => one.kind !== 'state')),
      }),
    },
  ),
  makeCase(
    [
      'state-digest-other',
      [1, 'completeness', 'CLY_STATE_DIGEST'],
      'The state is not the one that the cut before committed to.',
      'That the state itself is right.',
    ],
    { bundle: editedSecond({ manifest: (manifest: Loose) => (manifest.opening_state = hexOf('x')) }) },
  ),
  makeCase(
    [
      'closing-ledger-other',
      [1, 'completeness', 'CLY_LEDGER_CLOSING'],
      'The next bundle would start from a ledger that does not follow.',
      'Anything about the next bundle.',
    ],
    { bundle: edited({ ledger: (ledger) => (ledger.head.last_offset = 99) }) },
  ),
  makeCase(
    [
      'bundle-log-other',
      [1, 'integrity', 'CLY_BUNDLE_LOG_AGREEMENT'],
      'The log of bundles must end with this one.',
      'That the bundles before are good.',
    ],
    { bundle: editedSecond({ manifest: (manifest: Loose) => (manifest.bundle_log.frontier = [hexOf('x')]) }) },
  ),
];

/** The second bundle over a ledger with another chain head. */
function raceLedger(): ReturnType<typeof editedSecond> {
  return editedSecond({ receipt: at(0, (body) => (body.tenant_prev = hexOf('x'))) });
}
