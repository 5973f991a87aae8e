// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { linkTo, runGenesis, tenantGenesis } from '../change/links.ts';
import type { DecidedBody, RecordedBody } from '../enforcement/receipt-body.ts';
import { ClyraError } from '../kernel/error.ts';

export type ChainHead = { readonly next_seq: number; readonly head: Digest };

export type ChainStart = {
  readonly tenant: string;
  readonly streamId: string;
  readonly chain: ChainHead;
  readonly runs: ReadonlyMap<string, ChainHead>;
  readonly lastOffset: number;
};

/** Follows one tenant's chain of bodies and those of its runs (docs/spec/records.md §2 and §5): no gap, no fork. */
export class ChainTracker {
  readonly tenant: string;
  readonly streamId: string;
  #chain: ChainHead;
  readonly #runs: Map<string, ChainHead>;
  #lastOffset: number;

  constructor(start: ChainStart) {
    this.tenant = start.tenant;
    this.streamId = start.streamId;
    this.#chain = start.chain;
    this.#runs = new Map(start.runs);
    this.#lastOffset = start.lastOffset;
  }

  static atGenesis(tenant: string, streamId: string): ChainTracker {
    const chain = { next_seq: 0, head: tenantGenesis(streamId, tenant) };
    return new ChainTracker({ tenant, streamId, chain, runs: new Map(), lastOffset: -1 });
  }

  get chain(): ChainHead {
    return this.#chain;
  }

  /** Open runs. */
  get runs(): ReadonlyMap<string, ChainHead> {
    return this.#runs;
  }

  get lastOffset(): number {
    return this.#lastOffset;
  }

  copy(): ChainTracker {
    const { tenant, streamId } = this;
    return new ChainTracker({ tenant, streamId, chain: this.#chain, runs: this.#runs, lastOffset: this.#lastOffset });
  }

  /** Throws CLY_LOG_CHAIN_BROKEN where the body is not the next one; the tracker is then as it was. */
  accept(body: DecidedBody | RecordedBody, bytes: Uint8Array): void {
    if (body.stream_id !== this.streamId) throw this.#broken('stream_id', body);
    if (body.offset <= this.#lastOffset || body.previous_offset < this.#lastOffset) throw this.#broken('offset', body);
    if (body.previous_offset >= body.offset) throw this.#broken('previous_offset', body);
    if (body.tenant_seq !== this.#chain.next_seq) throw this.#broken('tenant_seq', body);
    if (body.tenant_prev !== this.#chain.head) throw this.#broken('tenant_prev', body);
    this.#checkRun(body);
    const link = linkTo(bytes);
    this.#chain = { next_seq: this.#chain.next_seq + 1, head: link };
    this.#lastOffset = body.offset;
    if (body.run_id === undefined) return;
    if (closesRun(body)) this.#runs.delete(body.run_id);
    else this.#runs.set(body.run_id, { next_seq: (body.seq ?? 0) + 1, head: link });
  }

  #checkRun(body: DecidedBody | RecordedBody): void {
    if (body.run_id === undefined) return;
    const run = this.#runs.get(body.run_id) ?? { next_seq: 0, head: runGenesis(this.tenant, body.run_id) };
    if (body.seq !== run.next_seq) throw this.#broken('seq', body);
    if (body.prev !== run.head) throw this.#broken('prev', body);
    if (closesRun(body) && body.kind === 'decided' && body.count !== body.seq) throw this.#broken('count', body);
  }

  #broken(member: string, body: DecidedBody | RecordedBody): ClyraError {
    return new ClyraError(
      'CLY_LOG_CHAIN_BROKEN',
      `the body at offset ${body.offset} does not follow the one before it (${member}): compare both enforcers' receipts and keep the partition stopped`,
      { retry: 'never', context: { tenant: this.tenant, offset: body.offset, member } },
    );
  }
}

export function closesRun(body: DecidedBody | RecordedBody): boolean {
  return body.kind === 'decided' && body.change_kind === 'run.closed' && body.decision === 'allow';
}
