// SPDX-License-Identifier: Apache-2.0

import type { DecidedLine, ObservedLine, SourceLine } from './journal-line.ts';
import { memberOf } from './metrics/count.ts';

/** Commands that say what holds for everybody: without them nothing that is left could be judged. */
const CONTEXT = new Set([
  'tenant.opened',
  'trust_root.activated',
  'key.delegated',
  'source.registered',
  'policy.activated',
  'engine.activated',
]);

/** A derived line, as far as an export asks. */
export type MatchedEntry = { readonly kind: 'matched'; readonly event_id: string | null };

/**
 * Which lines of a bundle an export of one run keeps (docs/spec/bundle.md §8): the run's own, what became of its
 * changes, and what holds for everybody. Lines go by once, in order.
 */
export class RunScope {
  readonly #runId: string;
  readonly #events = new Set<string>();
  readonly #tokens = new Set<string>();

  constructor(runId: string) {
    this.#runId = runId;
  }

  keeps(line: SourceLine | MatchedEntry): boolean {
    if (line.kind === 'matched') return line.event_id !== null && this.#events.has(line.event_id);
    return line.kind === 'decided' ? this.#decided(line) : this.#observed(line);
  }

  #decided({ change, receipt: { body } }: DecidedLine): boolean {
    if (body.run_id === this.#runId) {
      this.#events.add(body.event_id);
      if (body.kind === 'decided') for (const { token_hash: token } of body.grants ?? []) this.#tokens.add(token);
      return true;
    }
    const of = memberOf(change.body, 'of');
    return CONTEXT.has(body.change_kind) || (typeof of === 'string' && this.#events.has(of));
  }

  #observed({ observation: { body } }: ObservedLine): boolean {
    switch (body.kind) {
      case 'transaction':
        return body.token_hashes.some((token) => this.#tokens.has(token));
      case 'document':
        return body.run_id === this.#runId || (body.event_id !== undefined && this.#events.has(body.event_id));
      case 'accessed':
        return false;
      default:
        return true;
    }
  }
}
