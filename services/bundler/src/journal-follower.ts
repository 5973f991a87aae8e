// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { foreignPosition } from '@clyra/core/change/log-position';
import { FirstOccurrence } from '@clyra/core/evidence/first-occurrence';
import { parseSourceLine, type SourceLine } from '@clyra/core/evidence/journal-line';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import type { LogRecord } from '@clyra/core/ports/record-log';
import type { Persistence } from '@clyra/runtime/persistence';
import type { BundlerOptions } from './bundler-options.ts';
import type { JournalMark } from './position/lane-position.ts';
import type { TenantLog } from './tenant-log.ts';

export type FollowerOptions = Pick<BundlerOptions, 'codec' | 'topics'> & {
  readonly partition: number;
  /** Where reading begins: the journal's first offset, or a saved place. */
  readonly from: JournalMark;
  readonly persistence: Persistence;
  /** Opens the log of a tenant whose first line stands at the mark. */
  readonly openTenant: (tenant: string, at: JournalMark) => TenantLog;
};

/**
 * Reads one partition of clyra.journal back: the only way in which a line comes into a tenant's log.
 * What this process believes it has written does not count, so bundlers side by side make the same bundles.
 */
export class JournalFollower {
  readonly changes: FirstOccurrence;
  readonly observations: FirstOccurrence;
  readonly tenants = new Map<string, TenantLog>();
  readonly #options: FollowerOptions;
  #nextOffset: number;
  #last: LogRecord | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { from, topics, partition } = options;
    this.#nextOffset = from.next_offset;
    this.changes = new FirstOccurrence(`${topics.changes}/${partition}`, from.changes);
    this.observations = new FirstOccurrence(`${topics.observations}/${partition}`, from.observations);
  }

  /** The journal offset after the newest record taken. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** The place after the newest record taken. */
  mark(): JournalMark {
    const last = this.#last;
    return {
      next_offset: this.#nextOffset,
      changes: this.changes.newest,
      observations: this.observations.newest,
      last:
        last === undefined
          ? this.#options.from.last
          : { offset: last.offset, digest: digestOf(last.value ?? new Uint8Array()) },
    };
  }

  async accept(record: LogRecord): Promise<void> {
    if (record.offset < this.#options.from.next_offset) return this.#recognise(record);
    const { codec, persistence } = this.#options;
    const value = record.value ?? new Uint8Array();
    const decode = async (): Promise<Envelopes['JournalEnvelope']> => codec.decode('JournalEnvelope', value);
    const envelope = await persistence.until('journal envelope', decode);
    const log = this.#tenant(envelope.tenant);
    let seals = false;
    if (this.#sourceOf(envelope).isFirst(envelope.source_offset, envelope.line)) {
      const line = parseSourceLine(envelope.line);
      this.#checkRouting(envelope, line);
      seals = !log.covers(record.offset) && (await log.accept(line));
    }
    this.#nextOffset = record.offset + 1;
    this.#last = record;
    if (seals) log.cut = this.mark();
  }

  /** The record before a saved place: a topic that was made anew holds another one there. */
  #recognise(record: LogRecord): void {
    const { last } = this.#options.from;
    if (record.offset !== last?.offset || digestOf(record.value ?? new Uint8Array()) === last.digest) return;
    const { partition } = this.#options;
    throw foreignPosition('clyra.journal holds another record there', { partition, offset: record.offset });
  }

  #sourceOf({ source_topic: topic, source_partition: partition }: Envelopes['JournalEnvelope']): FirstOccurrence {
    const { topics } = this.#options;
    if (partition !== this.#options.partition) throw this.#damaged('of another partition');
    if (topic === topics.changes) return this.changes;
    if (topic === topics.observations) return this.observations;
    throw this.#damaged('of an unknown source');
  }

  #checkRouting(envelope: Envelopes['JournalEnvelope'], line: SourceLine): void {
    const isChange = envelope.source_topic === this.#options.topics.changes;
    if (isChange !== (line.kind === 'decided')) throw this.#damaged('whose kind is not that of its source');
    if (line.kind === 'observed') {
      if (line.observation.body.tenant !== envelope.tenant) throw this.#damaged('routed to another tenant');
      return;
    }
    const { tenant, offset, partition } = line.receipt.body;
    if (tenant !== envelope.tenant) throw this.#damaged('routed to another tenant');
    if (offset !== envelope.source_offset || partition !== envelope.source_partition) {
      throw this.#damaged('of another position than its receipt');
    }
  }

  #tenant(tenant: string): TenantLog {
    let log = this.tenants.get(tenant);
    if (log === undefined) {
      log = this.#options.openTenant(tenant, this.mark());
      this.tenants.set(tenant, log);
    }
    return log;
  }

  #damaged(what: string): ClyraError {
    const { partition } = this.#options;
    return new ClyraError(
      'CLY_LOG_DAMAGED',
      `the journal's partition ${partition} has a line ${what}: find out who can write to it before going on`,
      { retry: 'never', context: { partition, offset: this.#nextOffset } },
    );
  }
}
