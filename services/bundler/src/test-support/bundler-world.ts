// SPDX-License-Identifier: Apache-2.0
import type { BundleSigners } from '@clyra/core/evidence/bundle-files';
import type { EnvelopeCodec, Envelopes } from '@clyra/core/ports/envelope-codec';
import { silentLogger } from '@clyra/core/ports/logger';
import type { PositionStore } from '@clyra/core/ports/position-store';
import { SCRIPT_KEYS } from '@clyra/testing/fold-script';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { type Death, MortalProcess } from '@clyra/testing/mortal-process';
import { plainCodec } from '@clyra/testing/plain-codec';
import { PublishedHistory, TOPICS as topics } from '@clyra/testing/published-history';
import { expect } from '@jest/globals';
import { BundlerProcessor } from '../bundler.processor.ts';

export const SIGNERS: BundleSigners = { log: SCRIPT_KEYS.log, bundler: SCRIPT_KEYS.bundler };

export type Running = {
  readonly process: MortalProcess;
  readonly processor: BundlerProcessor;
  reason: string | undefined;
  bug: unknown;
};

export type StartOptions = {
  readonly death?: Death;
  readonly blobs?: MemoryBlobStore;
  readonly signers?: BundleSigners;
  readonly version?: string;
  readonly positions?: PositionStore;
  readonly codec?: EnvelopeCodec;
};

/** The world with any number of bundlers in it. */
export class World extends PublishedHistory {
  start(options: StartOptions = {}): Running {
    const { death, blobs = this.blobs, signers = SIGNERS, version = '0', codec = plainCodec, positions } = options;
    const process = new MortalProcess({ client: this.log.connect(), blobs, clock: this.clock }, death);
    const { log, blobs: own, clock } = process;
    const running: Running = { process, reason: undefined, bug: undefined, processor: undefined as never };
    const processor = new BundlerProcessor({
      log,
      codec,
      blobs: own,
      clock,
      logger: silentLogger,
      topics,
      signers,
      separation: 'none',
      producer: { name: 'test', version },
      limits: { spoolBytesMax: 4_096, sendRecordsMax: 7, queueRecordsMax: 20, unknownTenantMs: 500, positionMs: 100 },
      ...(positions === undefined ? {} : { positions }),
      onPartition: (_, reason) => {
        running.reason = reason;
      },
      onBug: (error) => {
        running.bug = error;
      },
    });
    Object.assign(running, { processor });
    processor.start().catch((error: unknown) => {
      running.bug = error;
    });
    return running;
  }

  /** A bundler that has sequenced and sealed a little. */
  async running(options: StartOptions = {}): Promise<Running> {
    const running = this.start(options);
    for (let count = 0; count < 4; count += 1) await this.step();
    await this.history.closeWindow();
    await this.publish();
    await this.clock.advance(30_000);
    expect([running.reason, running.bug]).toEqual([undefined, undefined]);
    return running;
  }

  async bundleBytes(blobs: MemoryBlobStore = this.blobs): Promise<Map<string, string>> {
    const names = [...(await blobs.list('bundles/')), ...(await blobs.list('checkpoints/'))];
    const bytes = new Map<string, string>();
    for (const name of names) bytes.set(name, Buffer.from((await blobs.get(name)) ?? []).toString('base64'));
    return bytes;
  }

  /** What a bundler makes of the journal alone, in an empty blob store. */
  async madeAnew(): Promise<Map<string, string>> {
    const empty = new MemoryBlobStore();
    for (const prefix of ['policies/', 'trust-roots/', 'states/']) {
      for (const name of await this.blobs.list(prefix))
        await empty.put(name, (await this.blobs.get(name)) as Uint8Array);
    }
    const again = this.start({ blobs: empty });
    await this.clock.advance(120_000);
    expect([again.reason, again.bug]).toEqual([undefined, undefined]);
    again.process.kill();
    return this.bundleBytes(empty);
  }

  published(): string[] {
    return this.log.recordsOf(topics.bundles, 0).map((record) => {
      const bundle = plainCodec.decode(
        'BundleEnvelope',
        record.value ?? new Uint8Array(),
      ) as Envelopes['BundleEnvelope'];
      return `${bundle.location}/manifest.dsse.json`;
    });
  }

  async expectWhole(): Promise<void> {
    const made = await this.bundleBytes();
    expect(await this.madeAnew()).toEqual(made);
    const whole = [...made.keys()].filter((name) => name.endsWith('/manifest.dsse.json'));
    expect(whole.length).toBeGreaterThan(0);
    expect([...new Set(this.published())].sort()).toEqual(whole);
  }
}
