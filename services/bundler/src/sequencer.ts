// SPDX-License-Identifier: Apache-2.0
import { PARTITION_TENANT } from '@clyra/core/change/change-body';
import { activationOf } from '@clyra/core/evidence/activation';
import { ChainTracker } from '@clyra/core/evidence/chain-tracker';
import type { LineSignatures } from '@clyra/core/evidence/line-signatures';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import type { LogAppender, LogRecord, OutgoingRecord } from '@clyra/core/ports/record-log';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import type { Persistence } from '@clyra/runtime/persistence';
import type { RecordQueue } from '@clyra/runtime/record-queue';
import type { BundlerLimits, BundlerOptions } from './bundler-options.ts';
import type { ChangePair, ChangePairs } from './change-pairs.ts';
import type { DocumentStore } from './document-store.ts';
import { type DecidedDraft, draftDecided, draftObserved, lineOf, type ObservedDraft } from './line-maker.ts';
import type { Quarantine } from './quarantine.ts';

/** What the sequencer must know of a tenant to judge its next line. */
export type SequencedTenant = { readonly trustRoot: TrustRoot; readonly chain: ChainTracker };

export type SequencerOptions = Pick<BundlerOptions, 'codec' | 'topics' | 'clock'> & {
  readonly partition: number;
  readonly limits: BundlerLimits;
  readonly appender: LogAppender;
  readonly pairs: ChangePairs;
  readonly observations: RecordQueue;
  /** As the journal, read back to its end, leaves them. */
  readonly tenants: Map<string, SequencedTenant>;
  readonly documents: DocumentStore;
  readonly persistence: Persistence;
  readonly signatures: LineSignatures;
  readonly quarantine: Quarantine;
};

type Line = { readonly record: OutgoingRecord; readonly bytes: number };

/** What became of a record: a line of the journal, or nothing where it belongs to no tenant's log. */
type Taken = Line | 'no line';

/**
 * Puts one partition's changes, with their receipts, and its observations into one order: that of clyra.journal.
 * Nothing is accepted unchecked and nothing is skipped: what does not fit stops the partition. A send whose fate is
 * unknown is made again, and the repeats are dropped by whoever reads the journal.
 */
export class Sequencer {
  readonly #options: SequencerOptions;
  #unknownSince: { readonly offset: number; readonly atMs: number } | undefined;
  sequencedChange: number;
  sequencedObservation: number;

  constructor(options: SequencerOptions, start: { change: number; observation: number }) {
    this.#options = options;
    this.sequencedChange = start.change;
    this.sequencedObservation = start.observation;
  }

  /** Sequences what is here; true where something was. One call at a time. */
  async pump(): Promise<boolean> {
    const { topics, partition, appender, persistence, limits } = this.#options;
    const { lines, progressed } = await this.#collect();
    if (lines.length === 0) return progressed;
    const batches = [{ topic: topics.journal, partition, records: lines.map(({ record }) => record) }];
    await persistence.until('journal send', () => appender.append(batches, limits.sendDeadlineMs));
    return true;
  }

  async #collect(): Promise<{ lines: readonly Line[]; progressed: boolean }> {
    const { limits } = this.#options;
    const lines: Line[] = [];
    let bytes = 0;
    let progressed = false;
    while (lines.length < limits.sendRecordsMax && bytes < limits.sendBytesMax) {
      const taken = await this.#takeNext();
      if (taken === undefined) break;
      progressed = true;
      if (taken === 'no line') continue;
      lines.push(taken);
      bytes += taken.bytes;
    }
    return { lines, progressed };
  }

  /** The older head goes first; undefined where nothing is here, or what is here must wait. */
  async #takeNext(): Promise<Taken | undefined> {
    const { pairs, observations } = this.#options;
    const pair = await pairs.peek();
    const observation = observations.peek();
    const isOlder = pair === undefined || (observation?.appendTimeMs ?? 0) < pair.change.appendTimeMs;
    if (observation !== undefined && isOlder) {
      const taken = await this.#observed(observation);
      if (taken !== undefined) return taken;
    }
    // An observation that must wait does not hold up the changes: one of them may open its tenant.
    return pair === undefined ? undefined : this.#decided(pair);
  }

  async #decided(pair: ChangePair): Promise<Taken> {
    const { codec, persistence, pairs, topics, signatures } = this.#options;
    const { change, receipt } = pair;
    let taken: Taken = 'no line';
    if (receipt.body.tenant !== PARTITION_TENANT) {
      const value = change.value ?? new Uint8Array();
      const decode = async (): Promise<Envelopes['ChangeEnvelope']> => codec.decode('ChangeEnvelope', value);
      const draft = draftDecided(pair, await persistence.until('change envelope', decode));
      const tenant = await this.#tenantOf(draft);
      signatures.check(draft, tenant.trustRoot);
      tenant.chain.accept(draft.receipt.body, draft.receipt.bytes);
      taken = this.#line(draft, { topic: topics.changes, offset: change.offset });
    }
    pairs.take();
    this.sequencedChange = change.offset;
    return taken;
  }

  async #tenantOf(draft: DecidedDraft): Promise<SequencedTenant> {
    const { tenants, documents, persistence } = this.#options;
    const { tenant, stream_id: streamId, offset } = draft.receipt.body;
    const known = tenants.get(tenant);
    if (known !== undefined) return known;
    const { trustRoot: digest } = activationOf({ ...draft, bytes: draft.receipt.bytes });
    if (digest === undefined) {
      throw new ClyraError(
        'CLY_TENANT_NOT_OPENED',
        `the change at ${offset} is decided for ${tenant}, which no line opens`,
        {
          retry: 'never',
          context: { tenant, offset },
        },
      );
    }
    const trustRoot = await persistence.until(`trust-roots/${digest}`, () => documents.trustRoot(digest));
    const opened = { trustRoot, chain: ChainTracker.atGenesis(tenant, streamId) };
    tenants.set(tenant, opened);
    return opened;
  }

  /** Undefined while it must wait; no line when it went into quarantine. */
  async #observed(record: LogRecord): Promise<Taken | undefined> {
    const { tenants, observations, topics, quarantine, signatures } = this.#options;
    const draft = await this.#readObservation(record);
    const tenant = typeof draft === 'string' ? undefined : tenants.get(draft.observation.body.tenant);
    if (typeof draft !== 'string' && tenant === undefined && this.#mayYetOpen(record)) return undefined;
    observations.shift();
    this.sequencedObservation = record.offset;
    if (typeof draft === 'string' || tenant === undefined) {
      await quarantine.put(record, typeof draft === 'string' ? draft : 'CLY_TENANT_UNKNOWN');
      return 'no line';
    }
    signatures.check(draft, tenant.trustRoot);
    return this.#line(draft, { topic: topics.observations, offset: record.offset });
  }

  async #readObservation(record: LogRecord): Promise<ObservedDraft | string> {
    const { codec, persistence } = this.#options;
    if (record.value === null) return 'CLY_RECORD_EMPTY';
    const { value } = record;
    try {
      const decode = async (): Promise<Envelopes['ObservationEnvelope']> => codec.decode('ObservationEnvelope', value);
      return draftObserved(await persistence.until('observation envelope', decode), record.appendTimeMs);
    } catch (error) {
      if (error instanceof ClyraError && error.code === 'CLY_SCHEMA_UNDECODABLE') return error.code;
      throw error;
    }
  }

  /** The line that opens the tenant may still be on its way from the other topic. */
  #mayYetOpen(record: LogRecord): boolean {
    const { clock, limits } = this.#options;
    if (this.#unknownSince?.offset !== record.offset) {
      this.#unknownSince = { offset: record.offset, atMs: clock.nowMs() };
    }
    return clock.nowMs() - this.#unknownSince.atMs < limits.unknownTenantMs;
  }

  /** How long until a held observation must be looked at again; undefined where none is held. */
  get recheckMs(): number | undefined {
    if (this.#unknownSince === undefined) return undefined;
    if (this.#options.observations.peek()?.offset !== this.#unknownSince.offset) return undefined;
    const endMs = this.#unknownSince.atMs + this.#options.limits.unknownTenantMs;
    return Math.max(1, endMs - this.#options.clock.nowMs());
  }

  #line(draft: DecidedDraft | ObservedDraft, source: { topic: string; offset: number }): Line {
    const { codec, partition } = this.#options;
    const line = lineOf(draft);
    const { tenant } = draft.kind === 'decided' ? draft.receipt.body : draft.observation.body;
    const value = codec.encode('JournalEnvelope', {
      line,
      tenant,
      source_topic: source.topic,
      source_partition: partition,
      source_offset: source.offset,
    });
    return { record: { key: Buffer.from(tenant, 'utf8'), value }, bytes: value.length };
  }
}
