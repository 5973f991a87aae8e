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

/** Milliseconds of one round: to read a decoded envelope, and to fold what was read. */
export type DecideTimes = {
  readonly read: Quantiles;
  readonly fold: Quantiles;
  /** CPU microseconds for reading and folding one change: a busy machine changes it less than the others. */
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

  async times(decisionCount: number): Promise<DecideTimes> {
    const reads: number[] = [];
    const folds: number[] = [];
    let cpuUs = 0;
    while (folds.length < decisionCount) {
      const envelopes = await this.#send();
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
        if (!Buffer.from(folded?.bytes ?? []).includes('"decision":"allow"'))
          throw new Error('a change was not allowed');
        reads.push(readMs - startMs);
        folds.push(endMs - readMs);
      }
      const { user, system } = process.cpuUsage(cpuBefore);
      cpuUs += user + system;
    }
    return { read: quantilesOf(reads), fold: quantilesOf(folds), cpuUs: cpuUs / folds.length };
  }

  /** Made outside the measured time: this is intake's work. */
  async #send(): Promise<Envelopes['ChangeEnvelope'][]> {
    const script = this.#script;
    const { sendSize, actorCount } = this.#shape;
    const bodies = Array.from({ length: sendSize }, () => {
      this.#madeCount += 1;
      const actor = `actor-${this.#madeCount % actorCount}`;
      const velocity = [{ rule: RATE_LIMIT.id, key_digest: digestOf(actor) }];
      const body = script.body('change.requested', {});
      return encodeRecord({ ...body, facts: script.facts({ velocity }) });
    });
    const digests = bodies.map((body) => digestOf(body));
    const blocks = await signBatch(SCRIPT_KEYS.intake, CHANGE_TYPE, digests);
    script.nowMs += STEP_MS * sendSize;
    return bodies.map((body, index) => envelopeOf(body, blocks[index] as SignatureBlock));
  }
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
