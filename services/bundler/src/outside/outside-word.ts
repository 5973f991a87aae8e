// SPDX-License-Identifier: Apache-2.0
import { requestTimeStamp } from '@clyra/adapter-signing/tsa-client';
import { requestCosignature } from '@clyra/adapter-signing/witness-client';
import { digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { Random } from '@clyra/core/ports/random';
import { stopping } from '@clyra/runtime/persistence';
import { Wakeup } from '../wakeup.ts';
import { locationOf, type Sealed, SealedLog } from './sealed-log.ts';

export type OutsideOptions = {
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /** RFC 3161 services: each stamps every checkpoint. */
  readonly tsaUrls: readonly string[];
  /** C2SP witnesses: each cosigns every checkpoint, in the order of the log. */
  readonly witnessUrls: readonly string[];
  /** Of one question. */
  readonly deadlineMs: number;
};

export type OutsideStatus = { readonly url: string; readonly waiting: number; readonly reason: string | null };

type Source = { readonly kind: 'tsa' | 'witness'; readonly url: string };
/** What one source still has to see, oldest first. */
type Lane = {
  readonly source: Source;
  readonly queue: Sealed[];
  /** Marks of what stands in the queue. */
  readonly queued: Set<string>;
  readonly wakeup: Wakeup;
  reason: string | null;
  running: Promise<void>;
};

const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 60_000;
/** Something of the bundle's tenant is not there, or not what it was: the source has no part in that. */
const OWN_FILES = /^CLY_(?:BLOB_MISSING|DOCUMENT_DAMAGED|DOCUMENT_MISSING)$/;

/**
 * Asks time-stamping authorities and witnesses about sealed checkpoints. Sealing never waits for it: until an answer is
 * there the claim is ABSENT, and a source that is away is asked again. What was answered is marked in the blob store,
 * so that a restart goes on where it was.
 */
export class OutsideWord {
  readonly #options: OutsideOptions;
  readonly #log: SealedLog;
  readonly #lanes: readonly Lane[];
  #stopping = false;

  constructor(options: OutsideOptions) {
    this.#options = options;
    this.#log = new SealedLog(options.blobs);
    const sources: readonly Source[] = [
      ...options.tsaUrls.map((url) => ({ kind: 'tsa' as const, url })),
      ...options.witnessUrls.map((url) => ({ kind: 'witness' as const, url: url.replace(/\/$/, '') })),
    ];
    this.#lanes = sources.map((source) => ({
      source,
      queue: [],
      queued: new Set(),
      wakeup: new Wakeup(options.clock),
      reason: null,
      running: Promise.resolve(),
    }));
  }

  /** Queues what earlier runs left open. Rejects with CLY_BLOB_UNAVAILABLE. */
  async start(): Promise<void> {
    if (this.#lanes.length === 0) return;
    const answered = new Set(await this.#options.blobs.list('outside/'));
    for (const bundle of await this.#log.checkpointed()) {
      const asking = this.#lanes.filter(({ source }) => !answered.has(markOf(source, bundle)));
      if (asking.length > 0 && (await this.#log.isWhole(bundle))) for (const lane of asking) this.#add(lane, bundle);
    }
  }

  /** Returns at once. */
  sealed(bundle: Sealed): void {
    for (const lane of this.#lanes) this.#add(lane, bundle);
  }

  status(): readonly OutsideStatus[] {
    return this.#lanes.map(({ source, queue, reason }) => ({ url: source.url, waiting: queue.length, reason }));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { wakeup } of this.#lanes) wakeup.call();
    await Promise.all(this.#lanes.map(({ running }) => running));
  }

  #add(lane: Lane, bundle: Sealed): void {
    const mark = markOf(lane.source, bundle);
    if (lane.queued.has(mark)) return;
    lane.queued.add(mark);
    lane.queue.push(bundle);
    if (lane.queue.length === 1) lane.running = lane.running.then(() => this.#work(lane));
  }

  /** A tenant whose own files are not there waits alone, in the order of its log; a source that is away holds all. */
  async #work(lane: Lane): Promise<void> {
    const waiting = new Set<string>();
    for (let pauseMs = PAUSE_MIN_MS; !this.#stopping && lane.queue.length > 0; ) {
      const bundle = lane.queue.find(({ tenant }) => !waiting.has(tenant));
      const error = bundle === undefined ? undefined : await this.#attempt(lane.source, bundle);
      if (bundle !== undefined && error === undefined) {
        lane.queue.splice(lane.queue.indexOf(bundle), 1);
        lane.queued.delete(markOf(lane.source, bundle));
        if (waiting.size > 0) continue;
        lane.reason = null;
        pauseMs = PAUSE_MIN_MS;
        continue;
      }
      if (error !== undefined) lane.reason = `${error.code}: ${error.message}`;
      if (bundle !== undefined && OWN_FILES.test(error?.code ?? '')) {
        waiting.add(bundle.tenant);
        continue;
      }
      await lane.wakeup.wait(pauseMs);
      pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
      waiting.clear();
    }
  }

  /** Undefined when this source is done with the bundle, else why it is asked again. */
  async #attempt(source: Source, bundle: Sealed): Promise<ClyraError | undefined> {
    const { logger, blobs } = this.#options;
    const { tenant, end } = bundle;
    try {
      if (await blobs.has(markOf(source, bundle))) return undefined;
      const name = source.kind === 'tsa' ? await this.#stamp(source, bundle) : await this.#witness(source, bundle);
      await blobs.put(markOf(source, bundle), Buffer.from(`${name}\n`, 'utf8'));
      logger.info('checkpoint vouched for', { tenant, end, source: source.url, name });
      return undefined;
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      if (error.code === 'CLY_SERVICE_STOPPING') return error;
      const facts = { tenant, end, source: source.url, code: error.code, error: error.message };
      if (error.retry === 'never') {
        // Asking again changes nothing while this process runs; the next start asks once more.
        logger.error('checkpoint not vouched for', facts);
        return undefined;
      }
      logger.warn('waiting for somebody outside', facts);
      return error;
    }
  }

  /** A proof over large journals must not hold a stop. */
  #goOn(): void {
    if (this.#stopping) throw stopping();
  }

  async #stamp({ url }: Source, bundle: Sealed): Promise<string> {
    const { blobs, deadlineMs, random } = this.#options;
    const checkpoint = await this.#log.checkpoint(bundle);
    const { timeAuthorities } = await this.#log.trustRoot(bundle);
    const { token } = await requestTimeStamp(checkpoint, { url, deadlineMs, random }, timeAuthorities);
    const name = `times/${digestOf(token)}.tsr`;
    await blobs.put(`${locationOf(bundle)}/${name}`, token);
    return name;
  }

  async #witness({ url }: Source, bundle: Sealed): Promise<string> {
    const { blobs, deadlineMs } = this.#options;
    const given = {
      trustRoot: await this.#log.trustRoot(bundle),
      // What a witness that follows every bundle knows; another says so, and is given the proof from there.
      lastSize: bundle.start,
      proofFrom: (size: number) => this.#log.proofFrom(size, bundle, () => this.#goOn()),
    };
    const { line } = await requestCosignature(await this.#log.checkpoint(bundle), given, { url, deadlineMs });
    const content = Buffer.from(line, 'utf8');
    const name = `cosignatures/${digestOf(content)}`;
    await blobs.put(`${locationOf(bundle)}/${name}`, content);
    return name;
  }
}

function markOf({ url }: Source, bundle: Sealed): string {
  return `outside/${locationOf(bundle)}/${digestOf(url).slice(0, 16)}`;
}
