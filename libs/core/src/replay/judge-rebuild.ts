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
  /** What tests counted, by their id. */
  readonly counts: ReadonlyMap<string, string>;
};

/** Why something is not compared, or need not come out: a code, and a text that names what stands in the way. */
export type Taint = { readonly code: `CLY_REPLAY_${string}`; readonly first: string };

/** What a test of a dbt run counted. */
export type ExpectedCount = {
  readonly id: string;
  readonly count: string;
  readonly leaf: number | null;
  /** The relations that it looks at, as `schema.name`. */
  readonly reads: readonly string[];
};

export type RebuildJudgement = {
  readonly expected: readonly ExpectedRelation[];
  readonly key: Uint8Array;
  /** Two runs under different clocks and chances: what differs between them is not determined by the inputs. */
  readonly runs: readonly [RebuildRun, RebuildRun];
  /** Names of the steps, in order. */
  readonly steps: readonly string[];
  /** Relations that cannot be compared, with the code and what stands in the way. */
  readonly tainted: ReadonlyMap<string, Taint>;
  /** Relations that are compared, and whose differences have a cause that cannot be repeated. */
  readonly excused: ReadonlyMap<string, Taint>;
  readonly counts: readonly ExpectedCount[];
};

/** Compares what two runs left behind with each other, and then with what was recorded. */
export function judgeRebuild(judgement: RebuildJudgement, tally: ReplayTally): void {
  if (judgement.expected.length === 0) tally.missing('CLY_REPLAY_NOTHING_EXPECTED', '');
  for (const expected of judgement.expected) judgeRelation(expected, judgement, tally);
  for (const expected of judgement.counts) judgeCount(expected, judgement, tally);
}

function judgeCount({ id, count, leaf, reads }: ExpectedCount, judgement: RebuildJudgement, tally: ReplayTally): void {
  const [one, other] = judgement.runs.map(({ counts }) => counts.get(id));
  const { tainted, excused } = judgement;
  const taint = reads.flatMap((relation) => tainted.get(relation) ?? excused.get(relation) ?? [])[0];
  if (one === count && other === count) tally.equal('tests');
  else if (taint !== undefined) tally.missing(taint.code, `${id}: ${taint.first}`);
  else if (one !== other) tally.missing('CLY_REPLAY_NOT_DETERMINED', id);
  else tally.differs({ leaf, member: `${id}: counted ${one ?? 'nothing'} instead of ${count}` });
}

function judgeRelation(expected: ExpectedRelation, judgement: RebuildJudgement, tally: ReplayTally): void {
  const relation = `${expected.schema}.${expected.name}`;
  const taint = judgement.tainted.get(relation);
  if (taint !== undefined) {
    tally.missing(taint.code, `${relation}: ${taint.first}`);
    return;
  }
  const excuse = judgement.excused.get(relation);
  const differs = (member: string): void => {
    if (excuse === undefined) tally.differs({ leaf: null, member });
    else tally.missing(excuse.code, `${member}: ${excuse.first}`);
  };
  const [one, other] = judgement.runs.map(({ fingerprints }) => fingerprints.get(relation));
  if (one === undefined || other === undefined) {
    differs(`${relation}: there is no such table`);
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
    differs(`${relation}: ${one.rows} rows instead of ${expected.rows}`);
    return;
  }
  tally.equal('relations');
  for (const { name, digest } of expected.columns) {
    const sum = one.sums.get(name);
    if (sum === undefined) differs(`${relation}.${name}: there is no such column`);
    else if (sum !== other.sums.get(name)) unsteady(`.${name}`);
    else if (columnDigest(judgement.key, { relation, column: name, sum }) === digest) tally.equal('columns');
    else differs(`${relation}.${name}`);
  }
}

/** The first step after which the two runs differ. */
function cause(relation: string, { runs, steps }: RebuildJudgement): string {
  const index = runs[0].traces.findIndex((trace, at) => trace.get(relation) !== runs[1].traces[at]?.get(relation));
  return index < 0 ? '' : `, since ${steps[index] ?? 'the base'}`;
}
