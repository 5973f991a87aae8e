// SPDX-License-Identifier: Apache-2.0
import type { TopicNames } from '@clyra/core/change/topics';
import { attestationName } from '@clyra/core/evidence/bundle-names';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec, Envelopes } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { LogAppender, LogReader, LogRecord, RecordLog } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { Persistence } from '@clyra/runtime/persistence';
import { RecordQueue } from '@clyra/runtime/record-queue';
import { makeAttestation } from './attestation.ts';
import { AttestedBundles, type BundleEnd } from './attested-bundles.ts';
import type { BundleVerification, Finding } from './bundle-verification.ts';
import { QUEUE_LIMITS, readPublished } from './published-attestations.ts';

export type AttestorOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topics: TopicNames;
  /** Role attestor. */
  readonly signer: Signer;
  readonly verification: BundleVerification;
  readonly askDeadlineMs?: number;
  readonly sendDeadlineMs?: number;
  /** Called with what is waited for or why it stopped, and with undefined when it goes on. */
  readonly onState: (reason: string | undefined) => void;
  /** A bug: the process must end. */
  readonly onBug: (error: unknown) => void;
};

export type AttestorStatus = {
  readonly state: 'starting' | 'live' | 'stopped';
  readonly reason: string | null;
  readonly passed_count: number;
  readonly failed_count: number;
  /** By tenant, the newest. */
  readonly newest: readonly { readonly tenant: string; readonly location: string; readonly result: string }[];
};

const ASK_DEADLINE_MS = 10_000;
const SEND_DEADLINE_MS = 5_000;

/**
 * Attests each sealed bundle once: fetches it, has it verified, signs what was found. It keeps no position: what it
 * has attested stands on clyra.attestations, and a start reads that first.
 */
export class AttestorProcessor {
  readonly #options: AttestorOptions;
  readonly #persistence: Persistence;
  readonly #queue: RecordQueue;
  #reader: LogReader | undefined;
  #partitions: readonly number[] = [];
  #appender: LogAppender | undefined;
  #attested = new AttestedBundles();
  readonly #newest = new Map<string, { tenant: string; location: string; result: string }>();
  #state: AttestorStatus['state'] = 'starting';
  #reason: string | undefined;
  #passedCount = 0;
  #failedCount = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(options: AttestorOptions) {
    const { clock, logger, topics } = options;
    this.#options = options;
    const onWaiting = (reason: string | undefined): void => this.#tell(reason);
    this.#persistence = new Persistence({ clock, logger, onWaiting });
    this.#queue = new RecordQueue(QUEUE_LIMITS, (high) => this.#press(high, topics.bundles));
  }

  /** Resolves when bundles are being read. Rejects when the log cannot be asked in time. */
  async start(): Promise<void> {
    const { log, topics, codec, clock } = this.#options;
    const deadlineMs = this.#options.askDeadlineMs ?? ASK_DEADLINE_MS;
    this.#attested = await readPublished({ log, codec, clock, topic: topics.attestations, deadlineMs });
    const starts = await log.startOffsets(topics.bundles, deadlineMs);
    const assignments = starts.map((fromOffset, partition) => ({ topic: topics.bundles, partition, fromOffset }));
    this.#partitions = assignments.map(({ partition }) => partition);
    this.#appender = log.appender('attestor');
    const request = {
      name: 'attestor-bundles',
      assignments,
      onBatch: ({ records }: { readonly records: readonly LogRecord[] }) => this.#queue.push(records),
    };
    this.#reader = await log.read(request, deadlineMs);
    this.#state = 'live';
    this.#work = this.#run();
  }

  async stop(): Promise<void> {
    this.#persistence.stop();
    this.#queue.close();
    await this.#reader?.close();
    await this.#work;
    await this.#appender?.close();
  }

  status(): AttestorStatus {
    return {
      state: this.#state,
      reason: this.#reason ?? null,
      passed_count: this.#passedCount,
      failed_count: this.#failedCount,
      newest: [...this.#newest.values()],
    };
  }

  async #run(): Promise<void> {
    try {
      for (let record = await this.#queue.next(); record !== undefined; record = await this.#queue.next()) {
        await this.#take(record);
      }
    } catch (error) {
      if (!(error instanceof ClyraError)) this.#options.onBug(error);
      else if (error.code !== 'CLY_SERVICE_STOPPING') this.#halt(error);
    }
  }

  async #take(record: LogRecord): Promise<void> {
    const { codec } = this.#options;
    const value = record.value ?? new Uint8Array();
    const decode = async (): Promise<Envelopes['BundleEnvelope']> => codec.decode('BundleEnvelope', value);
    const bundle = await this.#persistence.until('bundle envelope', decode);
    const name = attestationName(bundle.tenant, { start: bundle.range_start, end: bundle.range_end });
    const found = this.#attested.find(endOf(bundle));
    if (found === 'none') await this.#attest(bundle, { name, partition: record.partition });
    else if (found === 'other') throw forked(bundle);
  }

  async #attest(bundle: Envelopes['BundleEnvelope'], at: { name: string; partition: number }): Promise<void> {
    const { signer, verification, logger } = this.#options;
    const { tenant, origin, location, manifest_digest: manifestDigest } = bundle;
    const finding = await this.#persistence.until(location, () => verification.verify({ location, manifestDigest }));
    const attested = { tenant, origin, start: bundle.range_start, end: bundle.range_end, manifestDigest };
    const attestation = await this.#keep(at.name, await makeAttestation(attested, finding, signer));
    await this.#publish({ attestation, tenant, manifest_digest: manifestDigest, location: at.name }, at.partition);
    this.#attested.note(endOf(bundle));
    this.#count(bundle, finding);
    const fields = { tenant, location, verdict: finding.verdict };
    if (finding.passed) logger.info('bundle attested', fields);
    else logger.error('bundle does not verify', fields);
  }

  /** What was signed before a crash stays what was said: a newer verifier must not contradict it under the same name. */
  async #keep(name: string, attestation: Uint8Array): Promise<Uint8Array> {
    const { blobs } = this.#options;
    try {
      await this.#persistence.until(name, () => blobs.put(name, attestation));
      return attestation;
    } catch (error) {
      if (!(error instanceof ClyraError) || error.code !== 'CLY_BLOB_CONFLICT') throw error;
      const found = await this.#persistence.until(name, () => blobs.get(name));
      return found ?? attestation;
    }
  }

  async #publish(envelope: Envelopes['AttestationEnvelope'], bundlesPartition: number): Promise<void> {
    const { codec, log, topics, askDeadlineMs, sendDeadlineMs } = this.#options;
    const ask = (): Promise<readonly number[]> => log.endOffsets(topics.attestations, askDeadlineMs ?? ASK_DEADLINE_MS);
    const { length } = await this.#persistence.until('attestations topic', ask);
    const value = codec.encode('AttestationEnvelope', envelope);
    const records = [{ key: Buffer.from(envelope.tenant, 'utf8'), value }];
    const batches = [{ topic: topics.attestations, partition: bundlesPartition % length, records }];
    await this.#persistence.until('attestation send', async () =>
      this.#appender?.append(batches, sendDeadlineMs ?? SEND_DEADLINE_MS),
    );
  }

  #count({ tenant, location }: Envelopes['BundleEnvelope'], { passed }: Finding): void {
    if (passed) this.#passedCount += 1;
    else this.#failedCount += 1;
    this.#newest.set(tenant, { tenant, location, result: passed ? 'PASSED' : 'FAILED' });
  }

  #halt(error: ClyraError): void {
    this.#state = 'stopped';
    this.#options.logger.error('attestor stopped', { code: error.code, error: error.message });
    this.#queue.close();
    this.#tell(`${error.code}: ${error.message}`);
  }

  #press(high: boolean, topic: string): void {
    for (const partition of this.#partitions) {
      if (high) this.#reader?.pause(topic, partition);
      else this.#reader?.resume(topic, partition);
    }
  }

  #tell(reason: string | undefined): void {
    this.#reason = reason;
    this.#options.onState(reason);
  }
}

function endOf({ tenant, range_end: end, manifest_digest: manifestDigest }: Envelopes['BundleEnvelope']): BundleEnd {
  return { tenant, end, manifestDigest };
}

function forked({ tenant, location }: Envelopes['BundleEnvelope']): ClyraError {
  return new ClyraError(
    'CLY_BUNDLE_FORKED',
    `another manifest was attested for ${location} before: compare both bundles before anything more is signed`,
    { retry: 'never', context: { tenant, location } },
  );
}
