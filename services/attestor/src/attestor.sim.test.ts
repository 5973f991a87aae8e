// SPDX-License-Identifier: Apache-2.0
import { topicNames } from '@clyra/core/change/topics';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { silentLogger } from '@clyra/core/ports/logger';
import { verifyEd25519 } from '@clyra/core/signing/ed25519';
import { pae } from '@clyra/core/signing/pae';
import { SCRIPT_KEYS, SCRIPT_TRUST, START_MS } from '@clyra/testing/fold-script';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { type Death, MortalProcess } from '@clyra/testing/mortal-process';
import { plainCodec } from '@clyra/testing/plain-codec';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import { SimLog } from '@clyra/testing/sim-log';
import { describe, expect, it } from '@jest/globals';
import { AttestorProcessor } from './attestor.processor.ts';
import type { BundleVerification, Finding } from './bundle-verification.ts';

const topics = topicNames();
const PARTITION_COUNT = 2;

const GOOD: Finding = {
  verifier: { name: '@clyra/verifier', version: '0.0.0', mode: 'full' },
  policy: { name: 'test', digest: 'a'.repeat(64) },
  trustRoot: SCRIPT_TRUST.root.digest,
  passed: true,
  verdict: 'valid',
  claims: [{ id: 'integrity', status: 'PASS', code: null }],
};

class World {
  readonly clock = new SimClock(START_MS);
  readonly log: SimLog;
  readonly blobs = new MemoryBlobStore();
  readonly verified: string[] = [];

  constructor(seed: number) {
    const faults = { lostResponseShare: 0.1, lostRequestShare: 0.1, refusedShare: 0.1 };
    this.log = new SimLog({ clock: this.clock, random: new SeededRandom(seed), faults });
    for (const topic of Object.values(topics)) this.log.createTopic(topic, PARTITION_COUNT);
  }

  announce(tenant: string, start: number, manifest = `${tenant}${start}`): void {
    const digest = Buffer.from(manifest.padEnd(32, '.')).toString('hex').slice(0, 64);
    const value = plainCodec.encode('BundleEnvelope', {
      tenant,
      origin: `test/${tenant}`,
      range_start: start,
      range_end: start + 10,
      manifest_digest: digest,
      location: `bundles/${tenant}/${start}`,
    });
    this.log.put(topics.bundles, tenant.length % PARTITION_COUNT, [{ key: null, value }]);
  }

  start(options: { death?: Death; verify?: BundleVerification['verify'] } = {}): {
    processor: AttestorProcessor;
    reasons: (string | undefined)[];
    process: MortalProcess;
  } {
    const process = new MortalProcess(
      { client: this.log.connect(), blobs: this.blobs, clock: this.clock },
      options.death,
    );
    const reasons: (string | undefined)[] = [];
    const verify: BundleVerification['verify'] = async (bundle) => {
      this.verified.push(bundle.location);
      return GOOD;
    };
    const processor = new AttestorProcessor({
      log: process.log,
      codec: plainCodec,
      blobs: process.blobs,
      clock: process.clock,
      logger: silentLogger,
      topics,
      signer: SCRIPT_KEYS.attestor,
      verification: { verify: options.verify ?? verify },
      onState: (reason) => reasons.push(reason),
      onBug: (error) => reasons.push(`bug ${String(error)}`),
    });
    processor.start().catch((error: unknown) => reasons.push(String(error)));
    return { processor, reasons, process };
  }

  attestations(): Envelopes['AttestationEnvelope'][] {
    return Array.from({ length: PARTITION_COUNT }, (_, partition) => this.log.recordsOf(topics.attestations, partition))
      .flat()
      .map(
        ({ value }) =>
          plainCodec.decode('AttestationEnvelope', value ?? new Uint8Array()) as Envelopes['AttestationEnvelope'],
      );
  }
}

function statementOf(attestation: Uint8Array): Record<string, unknown> {
  const envelope = JSON.parse(Buffer.from(attestation).toString('utf8')) as {
    payload: string;
    payloadType: string;
    signatures: [{ sig: string }];
  };
  const payload = Buffer.from(envelope.payload, 'base64');
  const key = SCRIPT_TRUST.root.keys.get(SCRIPT_KEYS.attestor.keyId);
  const signature = Buffer.from(envelope.signatures[0].sig, 'base64');
  expect(key !== undefined && verifyEd25519(key.keyObject, pae(envelope.payloadType, payload), signature)).toBe(true);
  return JSON.parse(payload.toString('utf8')) as Record<string, unknown>;
}

describe('the attestor on a lossy log', () => {
  it('attests each bundle once, also when it is announced twice', async () => {
    const world = new World(1);
    world.announce('acme', 0);
    world.announce('acme', 0);
    world.announce('beta1', 0);
    const { processor, reasons } = world.start();
    await world.clock.advance(30_000);
    world.announce('acme', 10);
    await world.clock.advance(30_000);
    expect([...world.verified].sort()).toEqual(['bundles/acme/0', 'bundles/acme/10', 'bundles/beta1/0']);
    expect(new Set(world.attestations().map(({ location }) => location)).size).toBe(3);
    expect(processor.status()).toMatchObject({ state: 'live', passed_count: 3, failed_count: 0 });
    expect(reasons.filter((reason) => reason?.startsWith('CLY_'))).toEqual([]);
  });

  it('says that one verifier judged, which, and what the bundle evidences', async () => {
    const world = new World(2);
    world.announce('acme', 0);
    world.start();
    await world.clock.advance(30_000);
    const [first] = world.attestations();
    expect(statementOf(first?.attestation ?? new Uint8Array())).toMatchObject({
      subject: [{ name: 'manifest.json', digest: { sha256: first?.manifest_digest } }],
      predicate: {
        resourceUri: 'test/acme#0-10',
        verifiers: [{ id: '@clyra/verifier', version: '0.0.0', mode: 'full' }],
        verifierCount: 1,
        verificationResult: 'PASSED',
        statement: expect.stringContaining('evidences the operation of'),
      },
    });
    expect(Buffer.from(first?.attestation ?? []).toString()).not.toMatch(/compl(y|ies)/i);
  });

  it.each([
    ...Array.from({ length: 8 }, (_, index) => ['before', index + 1] as const),
    ...Array.from({ length: 8 }, (_, index) => ['after', index + 1] as const),
  ])('attests each bundle with the same bytes over a crash %s effect %i', async (moment, atEffect) => {
    const world = new World(100 + atEffect);
    for (const start of [0, 10, 20]) world.announce('acme', start);
    const first = world.start({ death: { atEffect, moment } });
    await world.clock.advance(30_000);
    first.process.kill();
    const { reasons } = world.start();
    await world.clock.advance(30_000);
    expect(reasons.filter((reason) => reason?.startsWith('CLY_'))).toEqual([]);
    const byLocation = new Map<string, Set<string>>();
    for (const { location, attestation } of world.attestations()) {
      const known = byLocation.get(location) ?? new Set();
      byLocation.set(location, known.add(Buffer.from(attestation).toString('base64')));
    }
    expect([...byLocation.values()].map(({ size }) => size)).toEqual([1, 1, 1]);
  });

  it('signs FAILED for a bundle that does not verify, and goes on', async () => {
    const world = new World(3);
    world.announce('acme', 0);
    world.announce('acme', 10);
    const { processor } = world.start({ verify: async () => ({ ...GOOD, passed: false, verdict: 'invalid' }) });
    await world.clock.advance(30_000);
    expect(processor.status()).toMatchObject({ failed_count: 2 });
    expect(statementOf(world.attestations()[0]?.attestation ?? new Uint8Array())).toMatchObject({
      predicate: { verificationResult: 'FAILED', statement: expect.stringContaining('no control') },
    });
  });

  it('reads a bundle again until it can', async () => {
    const world = new World(4);
    world.announce('acme', 0);
    let attempts = 0;
    const { processor, reasons } = world.start({
      verify: async () => {
        attempts += 1;
        if (attempts < 4) throw new ClyraError('CLY_ATTEST_UNREADABLE', 'not whole', { retry: 'backoff' });
        return GOOD;
      },
    });
    await world.clock.advance(30_000);
    expect(processor.status().passed_count).toBe(1);
    expect(reasons).toContain('bundles/acme/0: CLY_ATTEST_UNREADABLE');
    expect(reasons.at(-1)).toBeUndefined();
  });

  it('stops where another manifest comes for a range that was attested', async () => {
    const world = new World(5);
    world.announce('acme', 0);
    const { processor } = world.start();
    await world.clock.advance(30_000);
    world.announce('acme', 0, 'another');
    world.announce('acme', 10);
    await world.clock.advance(30_000);
    expect(processor.status()).toMatchObject({ state: 'stopped', passed_count: 1 });
    expect(processor.status().reason).toMatch(/^CLY_BUNDLE_FORKED/);
  });
});
