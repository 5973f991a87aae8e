// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CallRecord, parseCallRecords } from './call-record.ts';
import { type CallState, partnerSignal, withRecord } from './call-state.ts';
import { sipIdentity } from './sip-identity.ts';

const NOW_MS = 1_790_000_000_000;
const PAI = '"A" <sip:+12155551212;verstat=TN-Validation-Passed@pbx.example;user=phone>';
const passport = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig;info=<https://c.example>;alg=ES256;ppt=shaken`;

describe('the SIP headers of a call', () => {
  it.each<[string, Record<string, string>, string]>([
    ['full attestation, validated', { 'p-asserted-identity': PAI, 'p-attestation-indicator': 'A' }, 'A'],
    [
      'of a PASSporT',
      { 'p-asserted-identity': PAI, identity: passport({ attest: 'B', orig: { tn: '12155551212' } }) },
      'B',
    ],
    [
      'a tel URI',
      { 'p-asserted-identity': '<tel:+12155551212;verstat=TN-Validation-Passed>', 'p-attestation-indicator': 'C' },
      'C',
    ],
    [
      'in From',
      { from: '<sip:+12155551212;verstat=tn-validation-passed@x>;tag=1', 'p-attestation-indicator': 'A' },
      'A',
    ],
    [
      'a level that nobody validated',
      { 'p-asserted-identity': '<sip:+12155551212@x>', 'p-attestation-indicator': 'A' },
      'none',
    ],
    ['no validation', { 'p-asserted-identity': PAI.replace('Passed', 'No'), 'p-attestation-indicator': 'A' }, 'none'],
    [
      'a failed validation',
      { 'p-asserted-identity': PAI.replace('Passed', 'Failed'), 'p-attestation-indicator': 'A' },
      'failed',
    ],
    ['a level that there is not', { 'p-asserted-identity': PAI, 'p-attestation-indicator': 'AAA' }, 'none'],
    ['nothing', {}, 'none'],
  ])('%s', (_what, headers, attestation) => {
    expect(sipIdentity(headers)).toMatchObject({ attestation, isContradictory: false });
  });

  it.each<[string, Record<string, string>]>([
    ['two verdicts', { 'p-asserted-identity': PAI, from: '<sip:+1;verstat=No-TN-Validation@x>' }],
    ['two levels', { 'p-asserted-identity': PAI, 'p-attestation-indicator': 'A', identity: passport({ attest: 'B' }) }],
    [
      'another number in the PASSporT',
      { 'p-asserted-identity': PAI, identity: passport({ attest: 'A', orig: { tn: '19995550000' } }) },
    ],
  ])('contradict each other: %s', (_what, headers) => {
    expect(sipIdentity(headers)?.isContradictory).toBe(true);
  });

  it('are unreadable where Identity is no PASSporT', () => {
    for (const identity of ['', 'x', 'a.b.c', passport({}).replace('.sig', '')]) {
      expect(sipIdentity({ identity })).toBeUndefined();
    }
  });
});

const line = (changed: object = {}): string =>
  JSON.stringify({ id: 'r-1', call_id: 'c-1', session: 's-1', event: 'call.started', at: NOW_MS, ...changed });

describe('a call log', () => {
  it.each<[string, string]>([
    ['no acceptable JSON', '{'],
    ['no acceptable JSON', `${line()}\n\n${line()}`],
    ['no acceptable JSON', line({ sip: { a: 'x'.repeat(20_000) } })],
    ['no object', '[]'],
    ['members that records do not', line({ colour: 1 }).replace('colour', 'colour')],
    ['id is no text', line({ id: 1 })],
    ['call_id is no text', line({ call_id: '' })],
    ['session is no text', line({ session: 'a\nb' })],
    ['event is none of', line({ event: 'call.hacked' })],
    ['at is no number', line({ at: '2026-01-01' })],
    ['at is in the future', line({ at: NOW_MS + 300_001 })],
    ['barge_in_window_ms', line({ barge_in_window_ms: -1 })],
    ['sip is no object', line({ sip: { identity: 'x' } })],
    ['sip is no object', line({ sip: { 'a b': 'x' } })],
    ['sip is no object', line({ sip: [] })],
    ['more than 1000 lines', `${line()}\n`.repeat(1_001)],
  ])('is refused whole, with its line: %s', (words, text) => {
    const read = parseCallRecords(Buffer.from(text), NOW_MS);
    expect(read).toMatchObject({
      fault: expect.stringContaining(words.replace('members that records do not', 'a member that records do not have')),
    });
  });

  it('names the line at fault', () => {
    expect(parseCallRecords(Buffer.from(`${line()}\n${line({ at: null })}\n`), NOW_MS)).toMatchObject({ line: 2 });
  });
});

type Step = readonly [event: string, atMs: number, changed?: object];

function records(steps: readonly Step[]): readonly CallRecord[] {
  const text = steps.map(([event, at, changed], index) =>
    line({ id: `r-${index}`, event, at: NOW_MS + at, ...changed }),
  );
  const read = parseCallRecords(Buffer.from(text.join('\n')), NOW_MS + 1_000_000);
  if ('fault' in read) throw new Error(read.fault);
  return read;
}

const fold = (list: readonly CallRecord[]): CallState =>
  list.reduce<CallState | undefined>((state, one) => withRecord(state, one), undefined) as CallState;
const GOOD: readonly Step[] = [
  ['call.started', 0, { sip: { 'p-asserted-identity': PAI, 'p-attestation-indicator': 'A' } }],
  ['disclaimer.played', 1],
  ['disclaimer.acknowledged', 2],
  ['barge_in.available', 3, { barge_in_window_ms: 3_000 }],
];

describe('a call', () => {
  it('is what its records say', () => {
    expect(partnerSignal('hooks/pbx', fold(records(GOOD)))).toMatchObject({
      principal: 'hooks/pbx',
      at: NOW_MS + 3,
      ended: false,
      contradicted: false,
      attestation: 'A',
      disclaimer_played: true,
      disclaimer_acknowledged: true,
      barge_in_window_ms: 3_000,
    });
    const over = partnerSignal('p', fold(records([...GOOD, ['barge_in.unavailable', 4], ['call.ended', 5]])));
    expect(over).toMatchObject({ ended: true, contradicted: false, barge_in_window_ms: null });
    expect(partnerSignal('p', fold(records([['call.heartbeat', 0]])))).toMatchObject({
      attestation: 'none',
      disclaimer_played: false,
      disclaimer_acknowledged: false,
      barge_in_window_ms: null,
    });
  });

  it('is the same when records come twice, in any order, but for the digest of that order', () => {
    const all = records(GOOD);
    const plain = { ...fold(all), digest: '', known: [] };
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...all], { minLength: all.length }),
        fc.array(fc.nat(all.length - 1)),
        (order, again) => {
          const state = fold([...order, ...again.map((at) => all[at] as CallRecord)]);
          expect({ ...state, digest: '', known: [] }).toEqual(plain);
          expect(state.digest).toBe(fold(order).digest);
        },
      ),
    );
  });

  it.each<[string, readonly Step[]]>([
    ['one id for two records', [...GOOD, ['call.heartbeat', 9, { id: 'r-1' }]]],
    ['one session for two calls', [...GOOD, ['call.heartbeat', 9, { call_id: 'c-2' }]]],
    [
      'acknowledged before it was played',
      [
        ['disclaimer.played', 5],
        ['disclaimer.acknowledged', 4],
      ],
    ],
    ['something after its end', [...GOOD, ['call.ended', 5], ['disclaimer.acknowledged', 6]]],
    [
      'another attestation',
      [...GOOD, ['call.heartbeat', 9, { sip: { 'p-asserted-identity': PAI, 'p-attestation-indicator': 'B' } }]],
    ],
    [
      'another caller',
      [
        ...GOOD,
        [
          'call.heartbeat',
          9,
          { sip: { 'p-asserted-identity': PAI.replace('1212', '1213'), 'p-attestation-indicator': 'A' } },
        ],
      ],
    ],
    [
      'headers that contradict each other',
      [
        [
          'call.started',
          0,
          { sip: { 'p-asserted-identity': PAI, 'p-attestation-indicator': 'A', identity: passport({ attest: 'C' }) } },
        ],
      ],
    ],
    ['more records than can be followed', Array.from({ length: 513 }, (_, at) => ['call.heartbeat', at] as const)],
  ])('is contradicted for good by %s', (_what, steps) => {
    const state = fold(records(steps));
    expect(state.contradicted).toBe(true);
    expect(withRecord(state, records(GOOD)[1] as CallRecord).contradicted).toBe(true);
  });
});
