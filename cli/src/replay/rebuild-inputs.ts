// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { parseSourceLine } from '@clyra/core/evidence/journal-line';
import { valueAt } from '@clyra/core/inspection/json-pointer';
import { ClyraError } from '@clyra/core/kernel/error';
import { CompactRange } from '@clyra/core/merkle/compact-range';
import type { DbtBinding } from '@clyra/core/replay/dbt-binding';
import type { ExpectedCount, Taint } from '@clyra/core/replay/judge-rebuild';
import type { ReplayKit } from '@clyra/core/replay/replay-kit';
import { type ReplayStep, ReplaySteps } from '@clyra/core/replay/replay-steps';
import type { ReplayTally } from '@clyra/core/replay/replay-tally';
import type { BundleFolder } from '../bundle/bundle-folder.ts';
import { dbtInputs, openDbtRun } from './dbt-inputs.ts';
import { type DbtStep, withheld } from './dbt-steps.ts';
import type { DocumentShelf } from './document-shelf.ts';

/** One change to do again: SQL texts, or a request. */
export type ChangeStep = { readonly step: ReplayStep } & (
  | { readonly texts: readonly string[] }
  | { readonly target: string; readonly body: Uint8Array }
);
export type RebuildStep = ChangeStep | { readonly dbt: DbtStep };

export type RebuildInputs = {
  readonly base: readonly string[];
  readonly steps: readonly RebuildStep[];
  /** Relations that cannot come out as they were; a run that cannot do a step adds to them. */
  readonly tainted: Map<string, Taint>;
  /** Relations that need not come out as they were, and are compared. */
  readonly excused: Map<string, Taint>;
  readonly counts: readonly ExpectedCount[];
};

export function stepName(step: RebuildStep): string {
  return 'dbt' in step ? step.dbt.id : `event ${step.step.eventId} (leaf ${step.step.leaf})`;
}

type Order = {
  readonly bundle: BundleFolder;
  readonly kit: ReplayKit;
  readonly shelf: DocumentShelf;
  readonly tally: ReplayTally;
};

/** Stored JSON bodies: intake admits no larger ones to be looked into. */
const BODY_LIMITS = { bytesMax: 67_108_864, depthMax: 64, valuesMax: 5_000_000 };

/** Everything that the steps of a bundle need, and what is missing of it. */
export async function rebuildInputs(order: Order): Promise<RebuildInputs> {
  const { bundle, kit, shelf, tally } = order;
  const content = (digest: Digest): Promise<Buffer | undefined> => shelf.content(bundle, digest, 'bodies');
  const dbt = kit.dbt === undefined ? undefined : await openDbtRun(kit.dbt, content);
  const run = dbt !== undefined && 'plan' in dbt ? dbt : undefined;
  const found = await stepsOf(order, run?.binding);
  const tainted = new Map<string, Taint>();
  const excused = new Map<string, Taint>();
  const all = kit.expected.map(({ schema, name }) => `${schema}.${name}`);
  const taint = (relations: Iterable<string>, why: Taint): void => {
    const named = [...relations];
    const hit = named.length === 0 || named.includes('*.*') ? all : named;
    for (const relation of hit) if (!tainted.has(relation)) tainted.set(relation, why);
  };
  const base: string[] = [];
  for (const digest of kit.base) {
    const bytes = await content(digest);
    if (bytes === undefined) taint([], withheld(`base ${digest}`));
    else base.push(bytes.toString('utf8'));
  }
  const targets = new Map(kit.targets.map(({ event_id: id, target }) => [id, target]));
  if (dbt !== undefined && 'code' in dbt) taint([], dbt);
  const steps: ChangeStep[] = [];
  for (const step of found.steps) {
    const made = await inputOf(order, step, targets.get(step.eventId));
    if ('code' in made) taint(step.relations, made);
    else steps.push(made);
  }
  for (const { leaf, relations } of found.others) {
    taint(relations, { code: 'CLY_REPLAY_UNREPLAYED', first: `leaf ${leaf} is a transaction of no step` });
  }
  if (run === undefined || kit.dbt === undefined) return { base, steps, tainted, excused, counts: [] };
  const made = await dbtInputs(run, { kit: { ...kit, dbt: kit.dbt }, content, tally, tainted, excused });
  const at = found.dbtOrder ?? run.binding.order ?? Number.POSITIVE_INFINITY;
  return {
    ...{ base, tainted, excused, counts: made.counts },
    steps: [
      ...steps.filter(({ step }) => step.order <= at),
      ...made.steps.map((step) => ({ dbt: step })),
      ...steps.filter(({ step }) => step.order > at),
    ],
  };
}

async function stepsOf({ bundle, kit, tally }: Order, binding: DbtBinding | undefined): Promise<ReplaySteps> {
  const steps = new ReplaySteps(kit.source_id, kit.dbt?.run_id ?? undefined);
  const tree = new CompactRange(bundle.head.range.start, bundle.head.frontier);
  for await (const { leaf, bytes, record, hash } of bundle.lines()) {
    tree.append(hash);
    if (record['kind'] === 'matched') {
      steps.matched(record);
      continue;
    }
    try {
      const line = parseSourceLine(bytes);
      for (const reader of binding === undefined ? [steps] : [steps, binding]) {
        if (line.kind === 'decided') reader.decided(leaf, line);
        else reader.observed(leaf, line);
      }
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      tally.differs({ leaf, member: 'line' });
    }
  }
  if (tree.root() !== bundle.head.root) tally.differs({ leaf: null, member: 'root' });
  return steps;
}

async function inputOf(order: Order, step: ReplayStep, target: string | undefined): Promise<ChangeStep | Taint> {
  const { shelf, bundle } = order;
  const body = await shelf.body(bundle, step.payloadDigest);
  if (step.statements.length > 0) {
    const texts: string[] = [];
    for (const { pointer, digest } of step.statements) {
      const text = body === undefined ? undefined : textAt(body, pointer, digest);
      const alone = text ?? (await shelf.content(bundle, digest, 'bodies'))?.toString('utf8');
      if (alone === undefined) return withheld(`statement ${digest} of event ${step.eventId}`);
      texts.push(alone);
    }
    return { step, texts };
  }
  if (body === undefined) return withheld(`body ${step.payloadDigest} of event ${step.eventId}`);
  if (target === undefined || digestOf(target) !== step.targetDigest) {
    return { code: 'CLY_REPLAY_TARGET_UNKNOWN', first: `event ${step.eventId}` };
  }
  return { step, target, body };
}

/** The SQL text of a body, where it is the one that inspection saw. */
function textAt(body: Uint8Array, pointer: string, digest: Digest): string | undefined {
  try {
    const text = valueAt(parseJson(body, BODY_LIMITS), pointer);
    return typeof text === 'string' && digestOf(text) === digest ? text : undefined;
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}
