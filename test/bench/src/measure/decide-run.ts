// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { encodeRecord } from '@clyra/core/canonical/record';
import { readChange } from '@clyra/core/enforcement/read-change';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { blockToJson, type SignatureBlock, signBatch } from '@clyra/core/signing/batch-signature';
import { CHANGE_TYPE } from '@clyra/core/signing/pae';
import { FoldScript, SCRIPT_KEYS, SCRIPT_POLICY } from '@clyra/testing/fold-script';
import { type Quantiles, quantilesOf } from '../statistics.ts';

/** Milliseconds of one round: to read a decoded envelope, and to fold what was read. */
export type DecideTimes = { readonly read: Quantiles; readonly fold: Quantiles; readonly foldsPerSecond: number };

/** A signature is checked once for a send: with many changes in one, p95 is what a decision costs without it. */
export const SEND_SIZES = [256, 1] as const;

const ACTOR_COUNT = 64;
const ROUTE = 'contacts.sync';
const RATE_LIMIT = { id: 'by-actor', routes: [ROUTE], key: 'actor', window_seconds: 60, max_actions: 100_000 } as const;
/** Virtual time between two changes: a thousand a second. */
const STEP_MS = 1;

/** One partition with one tenant, whose state grows as the run goes on. */
export class DecideRun {
  readonly #script: FoldScript;
  readonly #sendSize: number;
  #offset: number;

  private constructor(script: FoldScript, sendSize: number) {
    this.#script = script;
    this.#sendSize = sendSize;
    this.#offset = script.envelopes.length;
  }

  static async open(sendSize: number): Promise<DecideRun> {
    const script = new FoldScript({ ...SCRIPT_POLICY, rate_limits: [RATE_LIMIT] });
    return new DecideRun(await script.opened(), sendSize);
  }

  async times(decisionCount: number): Promise<DecideTimes> {
    const reads: number[] = [];
    const folds: number[] = [];
    while (folds.length < decisionCount) {
      for (const envelope of await this.#send()) {
        const startMs = performance.now();
        const read = readChange(envelope);
        const readMs = performance.now();
        const folded = this.#script.fold.fold({
          offset: this.#offset,
          appendTimeMs: this.#script.nowMs,
          read,
          rawDigest: digestOf(envelope.body),
          rawSize: envelope.body.length,
        });
        const endMs = performance.now();
        this.#offset += 1;
        if (!Buffer.from(folded.bytes).includes('"decision":"allow"')) throw new Error('a change was not allowed');
        reads.push(readMs - startMs);
        folds.push(endMs - readMs);
      }
    }
    const foldMs = folds.reduce((sum, value) => sum + value, 0);
    return { read: quantilesOf(reads), fold: quantilesOf(folds), foldsPerSecond: (folds.length * 1_000) / foldMs };
  }

  /** Made outside the measured time: this is intake's work. */
  async #send(): Promise<Envelopes['ChangeEnvelope'][]> {
    const script = this.#script;
    const bodies = Array.from({ length: this.#sendSize }, () => {
      const actor = `actor-${this.#offset % ACTOR_COUNT}`;
      const velocity = [{ rule: RATE_LIMIT.id, key_digest: digestOf(actor) }];
      const body = script.body('change.requested', {});
      return encodeRecord({ ...body, facts: script.facts({ velocity }) });
    });
    const digests = bodies.map((body) => digestOf(body));
    const blocks = await signBatch(SCRIPT_KEYS.intake, CHANGE_TYPE, digests);
    script.nowMs += STEP_MS * this.#sendSize;
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
