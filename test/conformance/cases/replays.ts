// SPDX-License-Identifier: Apache-2.0
import { canonical, hexOf, type Loose, type TestKey } from '@clyra/verifier/testing/primitives';
import { wrap } from '@clyra/verifier/testing/seal';
import { BASE, BASIC, type CaseHead, type ConformanceCase, KEYS, makeCase } from '../conformance-case.ts';

const { origin, range, engine } = BASE.manifest;
const predicate = {
  kind: 'reperformance',
  result: 'success',
  range,
  origin,
  engine,
  compared: [
    { count: 8, what: 'bodies' },
    { count: 2, what: 'states' },
  ],
  not_compared: [],
  first_difference: null,
  inputs: [],
  performer: { name: 'x', version: '1' },
};

type Make = (head: CaseHead, bend: Loose, by?: TestKey) => ConformanceCase;

export function replays(): readonly ConformanceCase[] {
  const make: Make = ([name, wanted, why]: CaseHead, bend: Loose, by: TestKey = KEYS.attestor as TestKey) => {
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      predicate: { ...predicate, ...bend },
      predicateType: 'https://clyra.dev/replay/v0',
      subject: [{ digest: { sha256: hexOf(BASE.files.get('manifest.json') as Buffer) }, name: 'manifest.json' }],
    };
    return makeCase([name, wanted, why, 'That the performer did what its certificate says.'], {
      policy: [...BASIC, 'reperformance'],
      bend: (files) => files.set('replay.dsse.json', Buffer.from(canonical(wrap(by, statement)))),
    });
  };
  return [
    make(['replay-good', [0], 'A certificate that every body was derived again.'], {}),
    make(['replay-partial', [4, 'reperformance', 'CLY_REPLAY_PARTIAL'], 'Not everything could be compared.'], {
      result: 'partial',
      not_compared: [{ code: 'x', count: 1, first: 'y' }],
    }),
    make(
      ['replay-failed', [1, 'reperformance', 'CLY_REPLAY_FAILED'], 'The decisions do not follow from the journal.'],
      { result: 'failed', first_difference: { leaf: 3, member: 'decision' } },
    ),
    ...contradictions(make),
    make(['replay-of-other-range', [1, 'reperformance', 'CLY_REPLAY_AGREEMENT'], 'A certificate of another bundle.'], {
      range: { start: 0, end: 1 },
    }),
    make(['replay-data', [4, 'reperformance', 'CLY_REPLAY_DATA'], 'Data was rebuilt; decisions were not replayed.'], {
      kind: 'data',
    }),
    make(
      ['replay-by-bundler', [1, 'reperformance', 'CLY_KEY_ROLE'], 'The producer cannot certify its own replay.'],
      {},
      KEYS.bundler,
    ),
    make(
      [
        'replay-extra-member',
        [1, 'reperformance', 'CLY_REPLAY_SHAPE'],
        'A certificate says what is specified and nothing more.',
      ],
      { note: 'x' },
    ),
    makeCase(
      [
        'replay-absent',
        [4, 'reperformance', 'CLY_REPERFORMANCE_ABSENT'],
        'Absent is never pass.',
        'That the decisions follow.',
      ],
      { policy: [...BASIC, 'reperformance'] },
    ),
  ];
}

/** Certificates that do not hold together. */
function contradictions(make: Make): readonly ConformanceCase[] {
  return [
    make(
      [
        'replay-failed-nowhere',
        [1, 'reperformance', 'CLY_REPLAY_AGREEMENT'],
        'What differs is named where something does, and only there.',
      ],
      { result: 'failed' },
    ),
    make(
      [
        'replay-partial-of-nothing',
        [1, 'reperformance', 'CLY_REPLAY_AGREEMENT'],
        'A certificate that says partial says what could not be compared.',
      ],
      { result: 'partial' },
    ),
    make(['replay-difference-of-no-line', [1, 'reperformance', 'CLY_REPLAY_FAILED'], 'What differs is of no line.'], {
      result: 'failed',
      first_difference: { leaf: null, member: 'root' },
    }),
    make(
      ['replay-unordered', [1, 'reperformance', 'CLY_REPLAY_SHAPE'], 'The same facts have one form: lists ascend.'],
      { compared: [...predicate.compared].reverse() },
    ),
  ];
}
