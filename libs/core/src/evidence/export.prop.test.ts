// SPDX-License-Identifier: Apache-2.0
import { SCRIPT_POLICY, TENANT } from '@clyra/testing/fold-script';
import { grantedToken, History } from '@clyra/testing/history';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseRecord } from '../canonical/record.ts';
import { CompactRange } from '../merkle/compact-range.ts';
import { leafHash } from '../merkle/hash.ts';
import { activationOf } from './activation.ts';
import { ExportJournal, replacedLeaf, runScopeOf } from './export.ts';
import { RunScope } from './export-scope.ts';
import { JournalFold } from './journal-fold.ts';
import { parseSourceLine } from './journal-line.ts';
import { parseLedger } from './ledger.ts';
import type { SealedRange } from './sealed-range.ts';

const STEPS = fc.array(fc.constantFrom('finance', 'people', 'none', 'bypass', 'window'), {
  minLength: 3,
  maxLength: 14,
});

async function twoRuns(steps: readonly string[]): Promise<{ leaves: Uint8Array[]; sealed: SealedRange[] }> {
  const history = await new History().open();
  for (const run of ['finance', 'people']) await history.run('run.opened', run);
  for (const step of steps) {
    if (step === 'window') await history.closeWindow();
    if (step === 'bypass') await history.transaction();
    if (step === 'window' || step === 'bypass') continue;
    const request = await history.request({}, step === 'none' ? {} : { run_id: step });
    await history.outcome(request.folded.eventId);
    await history.transaction({ tokens: [grantedToken(request) ?? ''] });
  }
  await history.run('run.closed', 'finance');
  const fold = new JournalFold(TENANT);
  const made = { leaves: [] as Uint8Array[], sealed: [] as SealedRange[] };
  for (const line of history.lines()) {
    const step = fold.push(line, activationOf(line).policy === undefined ? undefined : SCRIPT_POLICY.guarded);
    made.leaves.push(...step.leaves);
    if (step.sealed !== undefined) made.sealed.push(step.sealed);
  }
  return made;
}

function exported(leaves: readonly Uint8Array[], runId: string): { lines: Uint8Array[]; journal: ExportJournal } {
  const scope = new RunScope(runId);
  const journal = new ExportJournal();
  const lines = leaves.map((leaf, index) => {
    const record = parseRecord(leaf);
    const entry =
      record['kind'] === 'matched'
        ? { kind: 'matched' as const, event_id: record['event_id'] as string | null }
        : parseSourceLine(leaf);
    const kept = scope.keeps(entry) || index === leaves.length - 1;
    return journal.append(leaf, kept);
  });
  return { lines, journal };
}

describe('an export of a run', () => {
  it('leads to the same root, follows the whole run, and shows nothing of another', async () => {
    await fc.assert(
      fc.asyncProperty(STEPS, async (steps) => {
        const { leaves, sealed } = await twoRuns(steps);
        for (const range of sealed) {
          const own = leaves.slice(range.start, range.end);
          const { lines, journal } = exported(own, 'finance');
          const tree = new CompactRange(range.start, range.frontier);
          const segments = own.map((leaf) => leafHash(leaf));
          for (const line of lines) tree.append(replacedLeaf(parseRecord(line)) ?? leafHash(line));
          expect(tree.root()).toBe(range.root);
          expect(journal.facts().segments).toEqual(range.journal.segments);
          expect(segments.length).toBe(lines.length);
          const text = Buffer.concat(lines).toString();
          expect(text).not.toContain('"run_id":"people"');
          const opening = range.openingLedger === null ? undefined : parseLedger(range.openingLedger);
          const scope = runScopeOf('finance', TENANT, opening);
          let next = scope.kind === 'run' ? scope.next_seq : -1;
          for (const line of lines.map((one) => parseRecord(one))) {
            const body = line['kind'] === 'decided' ? (line['receipt'] as { body: Record<string, unknown> }).body : {};
            if (body['run_id'] !== 'finance') continue;
            expect(body['seq']).toBe(next);
            next += 1;
          }
          expect(next).toBe(ownSeqs(own, scope.kind === 'run' ? scope.next_seq : 0));
        }
      }),
      { numRuns: 25 },
    );
  });
});

/** The next seq of the run after all lines of the bundle. */
function ownSeqs(leaves: readonly Uint8Array[], from: number): number {
  const seqs = leaves.map((leaf) => /"run_id":"finance","seq":([0-9]+)/.exec(Buffer.from(leaf).toString())?.[1]);
  return seqs.reduce((next, seq) => (seq === undefined ? next : Math.max(next, Number(seq) + 1)), from);
}
