// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { digestOf } from '@clyra/core/canonical/digest';
import { encodeRecord } from '@clyra/core/canonical/record';
import { readChange } from '@clyra/core/enforcement/read-change';
import type { Policy } from '@clyra/core/policy/policy';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { blockToJson, type SignatureBlock, signBatch } from '@clyra/core/signing/batch-signature';
import { CHANGE_TYPE } from '@clyra/core/signing/pae';
import { FoldScript, SCRIPT_KEYS, SCRIPT_POLICY } from '@clyra/testing/fold-script';
import { type Quantiles, quantilesOf } from '../statistics.ts';

/** Milliseconds of one round: to read a decoded envelope, to fold a request that was read, and to fold its outcome. */
export type DecideTimes = {
  readonly read: Quantiles;
  readonly fold: Quantiles;
  readonly outcome: Quantiles;
  /** CPU microseconds for reading and folding one request and its outcome: a busy machine changes it less than the others. */
  readonly cpuUs: number;
};

/** A signature is checked once for a send: with many changes in one, p95 is what a decision costs without it. */
export const DECIDE_SHAPES: readonly DecideShape[] = [
  { sendSize: 256, actorCount: 64 },
  { sendSize: 1, actorCount: 64 },
  // Thousands of actions in one sliding window.
  { sendSize: 256, actorCount: 1 },
];

const ROUTE = 'contacts.sync';
const RATE_LIMIT: Policy['rate_limits'][number] = {
  id: 'by-actor',
  routes: [ROUTE],
  key: 'actor',
  window_seconds: 60,
  max_actions: 100_000,
  amount: null,
  max_amount: {},
};
/** Virtual time between two changes: a thousand a second. */
const STEP_MS = 1;

/** As much as the enforcer prepares of the next cut for each record. */
const REFRESHED_ENTRIES = 8;

export type DecideShape = { readonly sendSize: number; readonly actorCount: number };

/** One partition with one tenant, whose state grows as the run goes on. */
export class DecideRun {
  readonly #script: FoldScript;
  readonly #shape: DecideShape;
  #offset: number;
  #madeCount = 0;

  private constructor(script: FoldScript, shape: DecideShape) {
    this.#script = script;
    this.#shape = shape;
    this.#offset = script.envelopes.length;
  }

  static async open(shape: DecideShape): Promise<DecideRun> {
    const script = new FoldScript({ ...SCRIPT_POLICY, rate_limits: [RATE_LIMIT] });
    return new DecideRun(await script.opened(), shape);
  }

  /** Each request is settled after its send, as in life: a tenant holds at most 50,000 open changes. */
  async times(decisionCount: number): Promise<DecideTimes> {
    const reads: number[] = [];
    const folds: number[] = [];
    const outcomes: number[] = [];
    let cpuUs = 0;
    while (folds.length < decisionCount) {
      const requests = await this.#requests();
      cpuUs += this.#foldAll(requests, { reads, folds, wanted: '"decision":"allow"' });
      const done = await this.#outcomesOf(requests);
      cpuUs += this.#foldAll(done, { reads, folds: outcomes, wanted: '"effect":"done"' });
    }
    const [read, fold, outcome] = [quantilesOf(reads), quantilesOf(folds), quantilesOf(outcomes)];
    return { read, fold, outcome, cpuUs: cpuUs / folds.length };
  }

  /** The CPU microseconds that it took, with the hashing that the enforcer does behind its sends. */
  #foldAll(envelopes: readonly Envelopes['ChangeEnvelope'][], to: FoldedTimes): number {
    const cpuBefore = process.cpuUsage();
    for (const envelope of envelopes) {
      const startMs = performance.now();
      const read = readChange(envelope);
      const readMs = performance.now();
      const folded = this.#script.fold.fold({
        offset: this.#offset,
        appendTimeMs: this.#script.nowMs,
        read,
        raw: envelope.body,
      });
      const endMs = performance.now();
      this.#offset += 1;
      if (!Buffer.from(folded?.bytes ?? []).includes(to.wanted))
        throw new Error('a change was not allowed and settled');
      to.reads.push(readMs - startMs);
      to.folds.push(endMs - readMs);
    }
    this.#script.fold.refresh(REFRESHED_ENTRIES * envelopes.length);
    const { user, system } = process.cpuUsage(cpuBefore);
    return user + system;
  }

  #requests(): Promise<Envelopes['ChangeEnvelope'][]> {
    const script = this.#script;
    const { sendSize, actorCount } = this.#shape;
    const bodies = Array.from({ length: sendSize }, () => {
      this.#madeCount += 1;
      const actor = `actor-${this.#madeCount % actorCount}`;
      const velocity = [{ rule: RATE_LIMIT.id, key_digest: digestOf(actor) }];
      const body = script.body('change.requested', {});
      return encodeRecord({ ...body, facts: script.facts({ velocity }) });
    });
    script.nowMs += STEP_MS * sendSize;
    return sealed(bodies);
  }

  #outcomesOf(requests: readonly Envelopes['ChangeEnvelope'][]): Promise<Envelopes['ChangeEnvelope'][]> {
    const members = { outcome: 'done', upstream_status: 200 };
    return sealed(
      requests.map(({ event_id: of }) => encodeRecord(this.#script.body('change.outcome', { of, ...members }))),
    );
  }
}

type FoldedTimes = { readonly reads: number[]; readonly folds: number[]; readonly wanted: string };

/** One send, made outside the measured time: this is intake's work. */
async function sealed(bodies: readonly Uint8Array[]): Promise<Envelopes['ChangeEnvelope'][]> {
  const digests = bodies.map((body) => digestOf(body));
  const blocks = await signBatch(SCRIPT_KEYS.intake, CHANGE_TYPE, digests);
  return bodies.map((body, index) => envelopeOf(body, blocks[index] as SignatureBlock));
}

function envelopeOf(body: Uint8Array, block: SignatureBlock): Envelopes['ChangeEnvelope'] {
  const { tenant, kind, event_id } = JSON.parse(Buffer.from(body).toString('utf8')) as Record<string, string>;
  return {
    body,
    signature: encodeRecord(blockToJson(block)),
    tenant: tenant ?? '',
    kind: kind ?? '',
    event_id: event_id ?? '',
  };
}
