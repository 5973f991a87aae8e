// SPDX-License-Identifier: Apache-2.0
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { fingerprintTables } from '@clyra/adapter-postgres/fingerprint-tables';
import { makeScratchDatabase, type ScratchDatabase } from '@clyra/adapter-postgres/scratch-database';
import { ScratchSession } from '@clyra/adapter-postgres/scratch-session';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Random } from '@clyra/core/ports/random';
import { type Fingerprint, judgeRebuild, type RebuildRun } from '@clyra/core/replay/judge-rebuild';
import type { ReplayKit } from '@clyra/core/replay/replay-kit';
import { ReplayTally } from '@clyra/core/replay/replay-tally';
import type { BundleFolder } from '../bundle/bundle-folder.ts';
import type { DbtStep } from './dbt-steps.ts';
import type { DocumentShelf } from './document-shelf.ts';
import { type ChangeStep, type RebuildInputs, rebuildInputs, stepName } from './rebuild-inputs.ts';
import { refusalOf } from './refusal.ts';
import { runDbtStep } from './run-dbt-step.ts';

/** An upstream that works on the scratch database alone. */
export type TestEndpoint = { readonly url: string; close(): Promise<void> };

export type RebuildOrder = {
  readonly bundle: BundleFolder;
  readonly kit: ReplayKit;
  readonly shelf: DocumentShelf;
  /** The tenant's key of column digests. */
  readonly key: Uint8Array;
  readonly scratch: {
    readonly admin: PostgresConnection;
    readonly sizeBytesMax: number;
    readonly statementTimeoutMs: number;
    readonly deadlineMs: number;
  };
  readonly startEndpoint: ((connection: PostgresConnection) => Promise<TestEndpoint>) | undefined;
  readonly random: Random;
};

/** The second run's clock: another year, month, day, hour and minute, so that any part of a time shows. */
const OTHER_CLOCK_MS = 400 * 86_400_000 + 3 * 3_600_000 + 17 * 60_000;
const REQUEST_DEADLINE_MS = 30_000;
/** Fingerprints after each step cost a pass over the tables: so many rows in all are read for them. */
const TRACED_ROWS_MAX = 2_000_000;

/** Repeats the changes of a bundle in two scratch databases and compares what they left (docs/spec/statements.md §2.2). */
export async function rebuildData(order: RebuildOrder): Promise<ReplayTally> {
  const { bundle, kit, shelf } = order;
  const tally = new ReplayTally();
  if (kit.tenant !== bundle.head.tenant) {
    throw new ClyraError('CLY_REPLAY_KIT', `the replay kit is of tenant ${kit.tenant}: give the one of this bundle`, {
      retry: 'never',
    });
  }
  const inputs = await rebuildInputs({ bundle, kit, shelf, tally });
  try {
    const runs = await runTwice(order, inputs, { tally, traced: [] });
    const traced = await withTraces(order, inputs, runs);
    const { tainted, excused, counts } = inputs;
    const steps = inputs.steps.map(stepName);
    judgeRebuild({ expected: kit.expected, key: order.key, runs: traced, steps, tainted, excused, counts }, tally);
  } catch (error) {
    if (!(error instanceof ClyraError) || error.code !== 'CLY_REPLAY_SCRATCH_LIMIT') throw error;
    tally.missing('CLY_REPLAY_SCRATCH_LIMIT', error.message);
  }
  for (const digest of shelf.outside) tally.input(digest);
  return tally;
}

type Traced = ReplayKit['expected'];
type Run = {
  readonly clockShiftMs: number;
  readonly tally: ReplayTally;
  /** Relations whose content is looked at after each step. */
  readonly traced: Traced;
};
type TwoRuns = readonly [RebuildRun, RebuildRun];

async function runTwice(order: RebuildOrder, inputs: RebuildInputs, run: Omit<Run, 'clockShiftMs'>): Promise<TwoRuns> {
  const one = await runOnce(order, inputs, { ...run, clockShiftMs: 0 });
  return [one, await runOnce(order, inputs, { ...run, clockShiftMs: OTHER_CLOCK_MS })];
}

/** Where the runs differ, both once more: looking after each step costs more than all the steps. */
async function withTraces(order: RebuildOrder, inputs: RebuildInputs, runs: TwoRuns): Promise<TwoRuns> {
  const textOf = (run: RebuildRun, relation: string): string | undefined => traceOf(run.fingerprints).get(relation);
  const traced = order.kit.expected.filter(({ schema, name }) => {
    const relation = `${schema}.${name}`;
    return textOf(runs[0], relation) !== textOf(runs[1], relation);
  });
  if (traced.length === 0) return runs;
  // What goes wrong is in the tally already.
  const again = await runTwice(order, inputs, { tally: new ReplayTally(), traced });
  return [
    { ...runs[0], traces: again[0].traces },
    { ...runs[1], traces: again[1].traces },
  ];
}

async function runOnce(order: RebuildOrder, inputs: RebuildInputs, run: Run): Promise<RebuildRun> {
  const { scratch: limits, kit, random } = order;
  const scratch = await makeScratchDatabase({
    ...limits,
    id: Buffer.from(random.bytes(10)).toString('hex'),
    password: Buffer.from(random.bytes(24)).toString('hex'),
    schemas: kit.schemas,
  });
  const session = new ScratchSession(scratch, limits.statementTimeoutMs);
  try {
    return await new Rebuild(order, { scratch, session, run }).all(inputs);
  } catch (error) {
    // What broke because its session was ended is over the limit, whatever the broken call says.
    scratch.check();
    throw error;
  } finally {
    await session.close();
    await scratch.close();
  }
}

type Place = { readonly scratch: ScratchDatabase; readonly session: ScratchSession; readonly run: Run };

class Rebuild {
  readonly #order: RebuildOrder;
  readonly #place: Place;
  readonly #counts = new Map<string, string>();
  #tracedRows = 0;

  constructor(order: RebuildOrder, place: Place) {
    this.#order = order;
    this.#place = place;
  }

  async all(inputs: RebuildInputs): Promise<RebuildRun> {
    const { base, steps } = inputs;
    const { kit, startEndpoint } = this.#order;
    const { session, scratch, run } = this.#place;
    const [first] = steps;
    const startMs = first === undefined ? 0 : 'dbt' in first ? first.dbt.clockMs : first.step.decidedAtMs;
    for (const text of base) await session.run(text, this.#pins(startMs));
    const needsEndpoint = steps.some((step) => 'target' in step);
    const endpoint = needsEndpoint ? await startEndpoint?.(scratch.connection) : undefined;
    try {
      for (const sequence of kit.sequences) await session.setSequence(sequence);
      const traces: ReadonlyMap<string, string>[] = [];
      for (const step of steps) {
        if ('dbt' in step) await this.#dbt(step.dbt, inputs);
        else await this.#step(step, endpoint);
        const { traced } = run;
        if (traced.length > 0 && this.#tracedRows < TRACED_ROWS_MAX)
          traces.push(traceOf(await this.#fingerprints(traced)));
      }
      return { fingerprints: await this.#fingerprints(kit.expected), traces, counts: this.#counts };
    } finally {
      await endpoint?.close();
    }
  }

  #pins(decidedAtMs: number): { clockMs: number; searchPath: readonly string[] } {
    return { clockMs: decidedAtMs + this.#place.run.clockShiftMs, searchPath: this.#order.kit.search_path };
  }

  async #dbt(step: DbtStep, inputs: RebuildInputs): Promise<void> {
    const { scratch, session, run } = this.#place;
    const pins = this.#pins(step.clockMs);
    const place = { session, pins, inputs, tally: run.tally, check: () => scratch.check() };
    const count = await runDbtStep(step, place);
    if (count !== undefined) this.#counts.set(step.id, count);
  }

  /** What was done once and cannot be done again is a difference, with the server's own code. */
  async #step(step: ChangeStep, endpoint: TestEndpoint | undefined): Promise<void> {
    const { scratch, session, run } = this.#place;
    const { leaf, decidedAtMs } = step.step;
    if ('texts' in step) {
      try {
        for (const text of step.texts) await session.run(text, this.#pins(decidedAtMs));
      } catch (error) {
        scratch.check();
        run.tally.differs({ leaf, member: `statement: refused with ${refusalOf(error)}` });
      }
      return;
    }
    if (endpoint === undefined) {
      run.tally.missing('CLY_REPLAY_NO_ENDPOINT', eventOf(step));
      return;
    }
    const status = await send(endpoint, step);
    if (status >= 300) run.tally.differs({ leaf, member: `request: answered with ${status}` });
  }

  async #fingerprints(relations: Traced): Promise<ReadonlyMap<string, Fingerprint>> {
    const { session } = this.#place;
    await session.reset();
    const found = await fingerprintTables(session.client, relations);
    for (const { rows } of found.values()) this.#tracedRows += rows;
    return found;
  }
}

function eventOf({ step }: ChangeStep): string {
  return `event ${step.eventId}`;
}

async function send({ url }: TestEndpoint, step: ChangeStep & { target: string; body: Uint8Array }): Promise<number> {
  const { method, eventId, decidedAtMs } = step.step;
  const response = await fetch(`${url}${step.target}`, {
    method,
    headers: { 'content-type': 'application/json', 'clyra-event-id': eventId, 'clyra-decided-at': String(decidedAtMs) },
    body: Buffer.from(step.body),
    redirect: 'error',
    signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
  });
  await response.arrayBuffer();
  return response.status;
}

function traceOf(fingerprints: ReadonlyMap<string, Fingerprint>): ReadonlyMap<string, string> {
  return new Map([...fingerprints].map(([name, { rows, sums }]) => [name, `${rows} ${[...sums.values()].join(' ')}`]));
}
