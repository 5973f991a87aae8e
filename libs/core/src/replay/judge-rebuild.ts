// SPDX-License-Identifier: Apache-2.0
import { columnDigest, type ExpectedRelation } from './replay-kit.ts';
import type { ReplayTally } from './replay-tally.ts';

/** What a relation holds: how many rows, and for each column the order-free sum of its value hashes. */
export type Fingerprint = {
  readonly rows: number;
  readonly sums: ReadonlyMap<string, string>;
};

/** One run of all steps in a scratch database of its own. */
export type RebuildRun = {
  readonly fingerprints: ReadonlyMap<string, Fingerprint>;
  /** After each step a text for each relation that changes with what it holds; shorter where it was not traced. */
  readonly traces: readonly ReadonlyMap<string, string>[];
};

export type RebuildJudgement = {
  readonly expected: readonly ExpectedRelation[];
  readonly key: Uint8Array;
  /** Two runs under different clocks and chances: what differs between them is not determined by the inputs. */
  readonly runs: readonly [RebuildRun, RebuildRun];
  /** Names of the steps, in order. */
  readonly steps: readonly string[];
  /** Relations that cannot be compared, with the code and what stands in the way. */
  readonly tainted: ReadonlyMap<string, { readonly code: `CLY_REPLAY_${string}`; readonly first: string }>;
};

/** Compares what two runs left behind with each other, and then with what was recorded. */
export function judgeRebuild(judgement: RebuildJudgement, tally: ReplayTally): void {
  if (judgement.expected.length === 0) tally.missing('CLY_REPLAY_NOTHING_EXPECTED', '');
  for (const expected of judgement.expected) judgeRelation(expected, judgement, tally);
}

function judgeRelation(expected: ExpectedRelation, judgement: RebuildJudgement, tally: ReplayTally): void {
  const relation = `${expected.schema}.${expected.name}`;
  const taint = judgement.tainted.get(relation);
  if (taint !== undefined) {
    tally.missing(taint.code, `${relation}: ${taint.first}`);
    return;
  }
  const [one, other] = judgement.runs.map(({ fingerprints }) => fingerprints.get(relation));
  if (one === undefined || other === undefined) {
    tally.differs({ leaf: null, member: `${relation}: there is no such table` });
    return;
  }
  const unsteady = (what: string): void => {
    tally.missing('CLY_REPLAY_NOT_DETERMINED', relation.concat(what, cause(relation, judgement)));
  };
  if (one.rows !== other.rows) {
    unsteady(' rows');
    return;
  }
  if (one.rows !== expected.rows) {
    tally.differs({ leaf: null, member: `${relation}: ${one.rows} rows instead of ${expected.rows}` });
    return;
  }
  tally.equal('relations');
  for (const { name, digest } of expected.columns) {
    const sum = one.sums.get(name);
    if (sum === undefined) tally.differs({ leaf: null, member: `${relation}.${name}: there is no such column` });
    else if (sum !== other.sums.get(name)) unsteady(`.${name}`);
    else if (columnDigest(judgement.key, { relation, column: name, sum }) === digest) tally.equal('columns');
    else tally.differs({ leaf: null, member: `${relation}.${name}` });
  }
}

/** The first step after which the two runs differ. */
function cause(relation: string, { runs, steps }: RebuildJudgement): string {
  const index = runs[0].traces.findIndex((trace, at) => trace.get(relation) !== runs[1].traces[at]?.get(relation));
  return index < 0 ? '' : `, since ${steps[index] ?? 'the base'}`;
}
