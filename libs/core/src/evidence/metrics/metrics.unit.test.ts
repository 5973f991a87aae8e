// SPDX-License-Identifier: Apache-2.0
import { SCRIPT_KEYS, SCRIPT_POLICY, TENANT } from '@clyra/testing/fold-script';
import { grantedToken, History, SOURCE } from '@clyra/testing/history';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../canonical/digest.ts';
import { activationOf } from '../activation.ts';
import { JournalFold } from '../journal-fold.ts';
import type { SealedRange } from '../sealed-range.ts';
import { added, countOf, Durations, memberOf } from './count.ts';

function sealedOf(history: History): SealedRange {
  const fold = new JournalFold(TENANT);
  let sealed: SealedRange | undefined;
  for (const line of history.lines()) {
    const step = fold.push(line, activationOf(line).policy === undefined ? undefined : SCRIPT_POLICY.guarded);
    sealed = step.sealed ?? sealed;
  }
  if (sealed === undefined) throw new Error('the history has no sealing cut');
  return sealed;
}

describe('the metrics of a range', () => {
  it('count what its lines say, and nothing else', async () => {
    const history = await new History().open();
    await history.run('run.opened', 'run-1');
    const first = await history.request({ payload_size: 100 }, { run_id: 'run-1' });
    history.nowMs += 40;
    await history.outcome(first.folded.eventId);
    const second = await history.request({ payload_size: 11 }, { supersedes: first.folded.eventId });
    await history.outcome(second.folded.eventId, 'failed');
    await history.request({ content: 'CLY_JSON_UTF8', payload_size: 7 });
    await history.transaction({ tokens: [grantedToken(first) ?? ''], committedAtMs: history.nowMs - 15 });
    await history.outage({ failed_at: history.nowMs - 900, changes_refused: 3 });
    await history.gap();
    await history.accessed();
    const { operator, second: other } = SCRIPT_KEYS;
    await history.script.command('kill_switch.engaged', { scope: 'tenant', reason: 'drill' }, [operator]);
    await history.script.command('kill_switch.lifted', { scope: 'tenant', reason: 'done' }, [operator, other]);
    history.nowMs += 1_000;
    await history.run('run.closed', 'run-1');
    const { metrics, decisions, profiles, gaps, outages, coverage } = sealedOf(history);
    expect(profiles).toEqual(['def/v0', 'pef/v0']);
    expect(decisions).toMatchObject({ block: 1, recorded: 2 });
    expect(metrics.governance).toEqual({
      reliability: {
        outcomes_done: 1,
        outcomes_failed: 1,
        outcomes_returned: 0,
        outcomes_other: 0,
        gaps: 1,
        outages: 1,
        outage_ms: 900,
        changes_refused: 3,
      },
      transparency: { requests: 3, requests_in_runs: 1, refused: 1, refused_unexplained: 0, accesses: 1 },
      accuracy: {
        schema_valid: 3,
        schema_invalid: 0,
        schema_not_required: 0,
        schema_not_checked: 0,
        content_refused: 1,
      },
      oversight: {
        held: 0,
        superseding: 1,
        reviewed_only: 0,
        approvals_granted: 0,
        approvals_revoked: 0,
        emergencies_reviewed: 0,
        kill_switches_engaged: 1,
        kill_switches_lifted: 1,
        policies_activated: 0,
        engines_activated: 0,
        changes_resolved: 0,
      },
    });
    expect(metrics.cost).toEqual({ payload_bytes: 118, payload_bytes_allowed: 111, transactions: 1, rows_written: 1 });
    expect(metrics.performance).toMatchObject({ span_ms: 1_040, commit_to_log: { count: 1, max_ms: 15, sum_ms: 15 } });
    expect(metrics.security.reasons).toContainEqual({ code: 'CLY_JSON_UTF8', effect: 'block', count: 1 });
    expect([gaps.length, outages.length, coverage[0]?.gaps]).toEqual([1, 1, 1]);
  });

  it('say that a guarded source has not shown what is guarded', async () => {
    const history = await new History().open();
    await history.coverage({ scope: 'listed', relations: ['public.other'], blind_spots: [{ code: 'row_filter' }] });
    await history.request();
    await history.closeWindow();
    expect(sealedOf(history).coverage).toMatchObject([
      {
        source_id: SOURCE,
        scope: 'listed',
        uncovered: ['public.contacts'],
        blind_spots: [{ code: 'row_filter', relation: null }],
      },
    ]);
  });

  it('count the documents that lines name, and which of them are at hand', async () => {
    const history = await new History().open();
    await history.document(Buffer.from('here'));
    await history.document(Buffer.from('lost'));
    await history.closeWindow();
    const { documents } = sealedOf(history);
    expect(documents).toMatchObject({ named: 2, list: [{ size: 4 }, { size: 4 }] });
    expect(documents.heldOf([{ sha256: digestOf('here'), size: 4 }])).toBe(1);
    expect(documents.heldOf([{ sha256: digestOf('here'), size: 5 }])).toBe(0);
  });
});

describe('the numbers of metrics', () => {
  it('stop where integers of a record do', () => {
    expect(added(Number.MAX_SAFE_INTEGER, 9)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('ignore what is no count', () => {
    expect([-1, 1.5, '3', null, undefined].map((value) => countOf(value as never))).toEqual([0, 0, 0, 0, 0]);
    expect(memberOf({ a: { b: 1 } }, 'a', 'b', 'c')).toBeUndefined();
  });

  it('take a clock that went back as no time', () => {
    const durations = new Durations();
    durations.add(-5);
    durations.add(3);
    expect(durations.result()).toEqual({ count: 2, max_ms: 3, sum_ms: 3 });
  });
});
