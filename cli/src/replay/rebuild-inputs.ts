// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { parseSourceLine } from '@clyra/core/evidence/journal-line';
import { valueAt } from '@clyra/core/inspection/json-pointer';
import { ClyraError } from '@clyra/core/kernel/error';
import { CompactRange } from '@clyra/core/merkle/compact-range';
import type { ReplayKit } from '@clyra/core/replay/replay-kit';
import { type ReplayStep, ReplaySteps } from '@clyra/core/replay/replay-steps';
import type { ReplayTally } from '@clyra/core/replay/replay-tally';
import type { BundleFolder } from '../bundle/bundle-folder.ts';
import type { DocumentShelf } from './document-shelf.ts';

/** One thing to do again: SQL texts, or a request. */
export type RebuildStep = { readonly step: ReplayStep } & (
  | { readonly texts: readonly string[] }
  | { readonly target: string; readonly body: Uint8Array }
);

type Taint = { readonly code: `CLY_REPLAY_${string}`; readonly first: string };

export type RebuildInputs = {
  readonly base: readonly string[];
  readonly steps: readonly RebuildStep[];
  /** Relations that cannot come out as they were. */
  readonly tainted: ReadonlyMap<string, Taint>;
};

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
  const { bundle, kit } = order;
  const found = await stepsOf(order);
  const tainted = new Map<string, Taint>();
  const all = kit.expected.map(({ schema, name }) => `${schema}.${name}`);
  const taint = (relations: Iterable<string>, why: Taint): void => {
    const named = [...relations];
    const hit = named.length === 0 || named.includes('*.*') ? all : named;
    for (const relation of hit) if (!tainted.has(relation)) tainted.set(relation, why);
  };
  const base: string[] = [];
  for (const digest of kit.base) {
    const bytes = await order.shelf.content(bundle, digest, 'bodies');
    if (bytes === undefined) taint([], withheld(`base ${digest}`));
    else base.push(bytes.toString('utf8'));
  }
  const targets = new Map(kit.targets.map(({ event_id: id, target }) => [id, target]));
  const steps: RebuildStep[] = [];
  for (const step of found.steps) {
    const made = await inputOf(order, step, targets.get(step.eventId));
    if ('code' in made) taint(step.relations, made);
    else steps.push(made);
  }
  for (const { leaf, relations } of found.others) {
    taint(relations, { code: 'CLY_REPLAY_UNREPLAYED', first: `leaf ${leaf} is a transaction of no step` });
  }
  return { base, steps, tainted };
}

async function stepsOf({ bundle, kit, tally }: Order): Promise<ReplaySteps> {
  const steps = new ReplaySteps(kit.source_id);
  const tree = new CompactRange(bundle.head.range.start, bundle.head.frontier);
  for await (const { leaf, bytes, record, hash } of bundle.lines()) {
    tree.append(hash);
    if (record['kind'] === 'matched') {
      steps.matched(record);
      continue;
    }
    try {
      const line = parseSourceLine(bytes);
      if (line.kind === 'decided') steps.decided(leaf, line);
      else steps.observed(leaf, line);
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      tally.differs({ leaf, member: 'line' });
    }
  }
  if (tree.root() !== bundle.head.root) tally.differs({ leaf: null, member: 'root' });
  return steps;
}

async function inputOf(order: Order, step: ReplayStep, target: string | undefined): Promise<RebuildStep | Taint> {
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

function withheld(first: string): Taint {
  return { code: 'CLY_REPLAY_ARTIFACT_WITHHELD', first };
}
