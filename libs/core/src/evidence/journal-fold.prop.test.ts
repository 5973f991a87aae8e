// SPDX-License-Identifier: Apache-2.0
import { SCRIPT_POLICY, TENANT } from '@clyra/testing/fold-script';
import { grantedToken, History } from '@clyra/testing/history';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../canonical/digest.ts';
import { CompactRange } from '../merkle/compact-range.ts';
import { leafHash } from '../merkle/hash.ts';
import { activationOf } from './activation.ts';
import { FirstOccurrence } from './first-occurrence.ts';
import { type FoldOpening, JournalFold } from './journal-fold.ts';
import type { SourceLine } from './journal-line.ts';
import { parseLedger } from './ledger.ts';
import { SEGMENT_LINES } from './range-digest.ts';
import type { SealedRange } from './sealed-range.ts';

const ACTIONS = [
  'request',
  'outcome',
  'forged',
  'run',
  'close',
  'window',
  'transaction',
  'token',
  'watermark',
  'gap',
  'coverage',
  'outage',
  'document',
];
const actions = fc.array(fc.record({ action: fc.constantFrom(...ACTIONS), waitMs: fc.nat(500) }), {
  minLength: 5,
  maxLength: 60,
});

async function play(steps: readonly { action: string; waitMs: number }[]): Promise<History> {
  const history = await new History().open();
  const requests: Awaited<ReturnType<History['request']>>[] = [];
  let runs = 0;
  for (const { action, waitMs } of steps) {
    history.nowMs += waitMs;
    const newest = requests.at(-1);
    if (action === 'request') requests.push(await history.request({}, runs % 2 === 1 ? { run_id: `run-${runs}` } : {}));
    if (action === 'outcome' && newest !== undefined) await history.outcome(newest.folded.eventId);
    if (action === 'forged') await history.forged();
    if (action === 'run') runs += 1;
    if (action === 'run') await history.run('run.opened', `run-${runs}`);
    if (action === 'close') await history.run('run.closed', `run-${runs}`);
    if (action === 'window') await history.closeWindow();
    if (action === 'transaction') await history.transaction();
    if (action === 'token')
      await history.transaction({ tokens: [(newest && grantedToken(newest)) ?? digestOf('none')] });
    if (action === 'watermark') await history.watermark();
    if (action === 'gap') await history.gap();
    if (action === 'coverage') await history.coverage({ scope: 'listed', relations: ['public.contacts'] });
    if (action === 'outage') await history.outage();
    if (action === 'document') await history.document(Buffer.from(`snapshot at ${history.nowMs}`));
  }
  await history.request();
  await history.closeWindow();
  return history;
}

/** A sealed range without what is a function. */
function comparable({ documents, ...sealed }: SealedRange): object {
  return { ...sealed, named: documents.named, documents: documents.list };
}

type Result = { readonly leaves: Uint8Array[]; readonly sealed: SealedRange[] };

function foldOver(fold: JournalFold, lines: readonly SourceLine[]): Result {
  const result: Result = { leaves: [], sealed: [] };
  for (const line of lines) {
    const step = fold.push(line, activationOf(line).policy === undefined ? undefined : SCRIPT_POLICY.guarded);
    result.leaves.push(...step.leaves);
    if (step.sealed !== undefined) result.sealed.push(step.sealed);
  }
  return result;
}

/** The next bundle's opening, from what a reader of this one has. */
function openingAfter(sealed: SealedRange, frontier: readonly string[]): FoldOpening {
  const { streamId, end: size, closingLedger, cut } = sealed;
  return { streamId, size, frontier, ledger: parseLedger(closingLedger), state: cut.state_digest };
}

describe('the fold over any history', () => {
  it('takes a transaction once, however often the log has it', async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (steps) => {
        const lines = (await play(steps)).lines();
        const repeated = lines.flatMap((line): SourceLine[] => (line.kind === 'observed' ? [line, line] : [line]));
        const once = foldOver(new JournalFold(TENANT), lines);
        const twice = foldOver(new JournalFold(TENANT), repeated);
        expect(twice.sealed.map(({ root }) => root)).toEqual(once.sealed.map(({ root }) => root));
      }),
      { numRuns: 20 },
    );
  });

  it('gives the tree, the segments and the file digest of its leaves', async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (steps) => {
        const { leaves, sealed } = foldOver(new JournalFold(TENANT), (await play(steps)).lines());
        const tree = new CompactRange();
        for (const range of sealed) {
          expect([range.start, range.frontier]).toEqual([tree.size, tree.roots]);
          const own = leaves.slice(range.start, range.end);
          for (const leaf of own) tree.append(leafHash(leaf));
          expect(range.root).toBe(tree.root());
          const file = Buffer.concat(own.flatMap((leaf) => [leaf, Buffer.from('\n')]));
          expect([range.journal.sha256, range.journal.size]).toEqual([digestOf(file), file.length]);
          expect(range.journal.segments.length).toBe(Math.ceil(own.length / SEGMENT_LINES));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('goes on from any sealed range as if it had never stopped', async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (steps) => {
        const lines = (await play(steps)).lines();
        const whole = foldOver(new JournalFold(TENANT), lines);
        const fold = new JournalFold(TENANT);
        for (const [at, line] of lines.entries()) {
          const [sealed] = foldOver(fold, [line]).sealed;
          if (sealed === undefined) continue;
          const tree = new CompactRange();
          for (const leaf of whole.leaves.slice(0, sealed.end)) tree.append(leafHash(leaf));
          const opening = openingAfter(sealed, tree.roots);
          const rest = foldOver(new JournalFold(TENANT, opening), lines.slice(at + 1));
          const expected = whole.sealed.filter(({ start }) => start >= sealed.end);
          expect(rest.sealed.map(comparable)).toEqual(expected.map(comparable));
        }
      }),
      { numRuns: 15 },
    );
  });

  it('notices a decided line that is missing, stands twice, or has changed places with the next', async () => {
    await fc.assert(
      fc.asyncProperty(actions, fc.nat(), fc.constantFrom('drop', 'repeat', 'swap'), async (steps, pick, damage) => {
        const lines = (await play(steps)).lines();
        const decided = [...lines.keys()].filter((index) => lines[index]?.kind === 'decided').slice(0, -1);
        const place = pick % decided.length;
        const at = decided[place] as number;
        const next = decided[place + 1] ?? lines.length - 1;
        const spoilt = [...lines];
        if (damage === 'drop') spoilt.splice(at, 1);
        if (damage === 'repeat') spoilt.splice(at, 0, lines[at] as SourceLine);
        if (damage === 'swap') [spoilt[at], spoilt[next]] = [lines[next] as SourceLine, lines[at] as SourceLine];
        expect(() => foldOver(new JournalFold(TENANT), spoilt)).toThrow(/chain|journal|follow/);
      }),
      { numRuns: 30 },
    );
  });

  it('gives another root where an observation is missing', async () => {
    await fc.assert(
      fc.asyncProperty(actions, fc.nat(), async (steps, pick) => {
        const lines = (await play([...steps, { action: 'transaction', waitMs: 0 }])).lines();
        const counted = [...lines.keys()].filter((index) => {
          const line = lines[index];
          return line?.kind === 'observed' && line.observation.body.kind !== 'watermark';
        });
        const spoilt = lines.toSpliced(counted[pick % counted.length] as number, 1);
        const roots = (of: readonly SourceLine[]): string | undefined =>
          foldOver(new JournalFold(TENANT), of).sealed.at(-1)?.root;
        expect(roots(spoilt)).not.toBe(roots(lines));
      }),
      { numRuns: 15 },
    );
  });
});

describe('the first occurrence of each source position', () => {
  it('is what counts, whoever repeats what', () => {
    const writers = fc.array(fc.nat(20), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(writers, (starts) => {
        const first = new FirstOccurrence('source');
        const counted: number[] = [];
        // Each writer goes on from where the journal was when it started, or repeats from before.
        for (const back of starts) {
          const from = Math.max(0, first.newest - back);
          for (let offset = from; offset <= first.newest + 1; offset += 1) {
            if (first.isFirst(offset, Buffer.from(`line ${offset}`))) {
              counted.push(offset);
              break;
            }
          }
        }
        expect(counted).toEqual(counted.map((_, index) => index));
      }),
    );
  });

  it('refuses another line for a position', () => {
    const first = new FirstOccurrence('source');
    first.isFirst(0, Buffer.from('one'));
    expect(() => first.isFirst(0, Buffer.from('other'))).toThrow(expect.objectContaining({ code: 'CLY_LOG_FORKED' }));
  });
});
