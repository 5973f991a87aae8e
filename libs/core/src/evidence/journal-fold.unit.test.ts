// SPDX-License-Identifier: Apache-2.0

import { digestOf } from '@clyra/core/canonical/digest';
import { POLICY_DIGEST, SCRIPT_POLICY, SCRIPT_TRUST, TENANT } from '@clyra/testing/fold-script';
import { grantedToken, History, SOURCE } from '@clyra/testing/history';
import { describe, expect, it } from '@jest/globals';
import { activationOf } from './activation.ts';
import { JournalFold } from './journal-fold.ts';
import { parseSourceLine, type SourceLine } from './journal-line.ts';
import type { SealedRange } from './sealed-range.ts';

type Folded = { readonly fold: JournalFold; readonly leaves: string[]; readonly sealed: SealedRange[] };

function foldAll(lines: readonly SourceLine[]): Folded {
  const fold = new JournalFold(TENANT);
  const leaves: string[] = [];
  const sealed: SealedRange[] = [];
  for (const line of lines) {
    const step = fold.push(line, activationOf(line).policy === undefined ? undefined : SCRIPT_POLICY.guarded);
    leaves.push(...step.leaves.map((leaf) => Buffer.from(leaf).toString('utf8')));
    if (step.sealed !== undefined) sealed.push(step.sealed);
  }
  return { fold, leaves, sealed };
}

const kindOf = (leaf: string): string => (JSON.parse(leaf) as { kind: string }).kind;

async function ordinaryRun(): Promise<History> {
  const history = await new History().open();
  await history.run('run.opened', 'run-1');
  const request = await history.request({}, { run_id: 'run-1' });
  await history.outcome(request.folded.eventId);
  await history.transaction({ tokens: [grantedToken(request) ?? ''] });
  await history.watermark();
  await history.run('run.closed', 'run-1');
  return history;
}

describe('the fold of a journal', () => {
  it('seals a run with everything that belongs to it', async () => {
    const { leaves, sealed } = foldAll((await ordinaryRun()).lines());
    expect(leaves.map(kindOf)).toEqual([
      ...Array<string>(2).fill('decided'),
      'observed',
      ...Array<string>(3).fill('decided'),
      'observed',
      'observed',
      'matched',
      'decided',
    ]);
    const [range] = sealed;
    expect(range).toMatchObject({
      start: 0,
      end: 10,
      frontier: [],
      openingState: null,
      openingLedger: null,
      policies: [POLICY_DIGEST],
      trustRoot: SCRIPT_TRUST.root.digest,
      decisions: { allow: 5, block: 0, hold: 0, recorded: 1 },
      runs: { closed: [{ run_id: 'run-1', count: 2 }], open: [] },
      reconciliation: { state: 'final', observations: 1, guarded: 1, matched: 1, pending: 0, grants_unused: 0 },
      cut: { kind: 'run.closed' },
    });
    expect(digestOf(`${leaves.join('\n')}\n`)).toBe(range?.journal.sha256);
  });

  it('keeps only the newest watermark of each source, and puts it before the cut', async () => {
    const history = await new History().open();
    await history.watermark(1);
    await history.watermark(2, 'other');
    await history.request();
    await history.watermark(3);
    await history.closeWindow();
    const { leaves } = foldAll(history.lines());
    const observed = leaves.slice(-3, -1).map((leaf) => (JSON.parse(leaf) as ObservedJson).observation.body);
    expect(observed.map(({ source_id, covers_until }) => [source_id, covers_until])).toEqual([
      [SOURCE, 3],
      ['other', 2],
    ]);
  });

  it('leaves a window that holds nothing else to the next range', async () => {
    const history = await new History().open();
    await history.request();
    await history.closeWindow();
    await history.closeWindow();
    await history.request();
    await history.closeWindow();
    const { sealed } = foldAll(history.lines());
    expect(sealed.map(({ start, end }) => [start, end])).toEqual([
      [0, 5],
      [5, 8],
    ]);
    expect(sealed[1]?.openingState).toBe(sealed[0]?.cut.state_digest);
    expect(Buffer.from(sealed[1]?.openingLedger ?? []).toString()).toBe(
      Buffer.from(sealed[0]?.closingLedger ?? []).toString(),
    );
  });

  it('is provisional until the source covers the last outcome', async () => {
    const history = await new History().open();
    const request = await history.request();
    history.nowMs += 10;
    await history.outcome(request.folded.eventId);
    await history.watermark(history.nowMs - 1);
    await history.closeWindow();
    await history.watermark(history.nowMs);
    await history.closeWindow();
    const { sealed } = foldAll(history.lines());
    expect(sealed.map(({ reconciliation }) => reconciliation.state)).toEqual(['provisional', 'final']);
  });

  it('lists gaps, and what was not matched', async () => {
    const history = await new History().open();
    await history.gap();
    await history.transaction();
    await history.closeWindow();
    const [range] = foldAll(history.lines()).sealed;
    expect(range?.gaps).toMatchObject([{ source_id: SOURCE, reason: 'slot_lost' }]);
    expect(range?.reconciliation).toMatchObject({ unattributed: 1, guarded: 1, observations: 1 });
  });

  it.each([
    ['one is missing', (lines: SourceLine[]) => lines.toSpliced(3, 1), 'CLY_LOG_CHAIN_BROKEN'],
    [
      'one stands twice',
      (lines: SourceLine[]) => lines.toSpliced(3, 0, lines[3] as SourceLine),
      'CLY_LOG_CHAIN_BROKEN',
    ],
    ['the first is missing', (lines: SourceLine[]) => lines.slice(1), 'CLY_LOG_DAMAGED'],
    ['it is another tenant’s', (lines: SourceLine[]) => lines.toSpliced(1, 1, renamed(lines[1])), 'CLY_LOG_DAMAGED'],
  ])('refuses lines of which %s', async (_, spoil, code) => {
    const lines = spoil((await ordinaryRun()).lines());
    expect(() => foldAll(lines)).toThrow(expect.objectContaining({ code }));
  });
});

type ObservedJson = { observation: { body: { source_id: string; covers_until: number } } };

function renamed(line: SourceLine | undefined): SourceLine {
  const text = Buffer.from(line?.bytes ?? []).toString('utf8');
  return parseSourceLine(Buffer.from(text.replaceAll(`"tenant":"${TENANT}"`, '"tenant":"beta"')));
}
