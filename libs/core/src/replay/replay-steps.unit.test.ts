// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import type { DecidedLine, ObservedLine } from '../evidence/journal-line.ts';
import { ReplaySteps } from './replay-steps.ts';

const GRANT = { source_id: 'crm', relations: ['public.a'] };

/** As much of a line as the steps are made of. */
function allowed(eventId: string, decidedAt: number, receipt: object = { grants: [GRANT] }): DecidedLine {
  const facts = { method: 'POST', target_digest: digestOf('/a'), payload_digest: digestOf('body') };
  const change = { body: { kind: 'change.requested', event_id: eventId, facts } };
  const body = { kind: 'decided', decision: 'allow', decided_at: decidedAt, ...receipt };
  return { change, receipt: { body } } as unknown as DecidedLine;
}

function done(eventId: string): DecidedLine {
  const change = { body: { kind: 'change.outcome', of: eventId, outcome: 'done' } };
  return { change, receipt: { body: { kind: 'recorded' } } } as unknown as DecidedLine;
}

function transaction(name: string): ObservedLine {
  const body = { kind: 'transaction', source_id: 'crm', relations: [{ schema: 'public', name }] };
  return { observation: { body } } as unknown as ObservedLine;
}

describe('the steps of a data replay', () => {
  it('stand in the order of their transactions, whatever the order of decisions and outcomes', () => {
    const steps = new ReplaySteps('crm');
    steps.decided(1, allowed('first', 100));
    steps.decided(2, allowed('second', 101));
    steps.decided(3, done('first'));
    for (const leaf of [4, 5]) steps.observed(leaf, transaction('a'));
    steps.matched({ leaf: 4, event_id: 'second', status: 'matched' });
    steps.matched({ leaf: 5, event_id: 'first', status: 'matched' });
    expect(steps.steps.map(({ eventId }) => eventId)).toEqual(['second', 'first']);
  });

  it('have the time of the first decision, where a resent copy of the change was answered later', () => {
    const steps = new ReplaySteps('crm');
    steps.decided(1, allowed('first', 100));
    steps.decided(2, allowed('first', 720, { duplicate_of: 'r' }));
    steps.decided(3, done('first'));
    expect(steps.steps).toMatchObject([{ leaf: 1, decidedAtMs: 100, relations: new Set(['public.a']) }]);
  });

  it('leave out what was not done, and name what no step did', () => {
    const steps = new ReplaySteps('crm');
    steps.decided(1, allowed('first', 100));
    steps.observed(2, transaction('b'));
    steps.matched({ leaf: 2, event_id: null, status: 'unattributed' });
    expect(steps.steps).toEqual([]);
    expect(steps.others).toEqual([{ leaf: 2, relations: ['public.b'] }]);
  });
});
