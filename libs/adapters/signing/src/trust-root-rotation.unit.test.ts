// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import { coversDigest, type Thresholds } from '@clyra/core/signing/trust-root';
import { readFirstTrustRoot, readNextTrustRoot } from '@clyra/core/signing/trust-root-rotation';
import { describe, expect, it } from '@jest/globals';
import { memorySigner } from './memory-signer.ts';
import {
  buildTrustRoot,
  signTrustRoot,
  type TrustRootFile,
  type TrustRootKey,
  type TrustRootPlan,
} from './trust-root-file.ts';

const [alice, bob, carol, log] = [memorySigner(), memorySigner(), memorySigner(), memorySigner()];
const window = { operator: 'acme', validFromMs: 0, validToMs: 1_000_000 };
const rootKey = (signer: typeof alice, subject: string): TrustRootKey => ({
  ...window,
  publicKey: signer.publicKey,
  roles: ['root'],
  subject,
});
const thresholds = (root: number): Thresholds => ({ root, tsa: 1, witness: 1 });
const first: TrustRootPlan = {
  version: 1,
  issuedAtMs: 1_000,
  expiresAtMs: 500_000,
  logOrigin: 'acme.example/log',
  singleOperator: false,
  thresholds: thresholds(2),
  keys: [
    rootKey(alice, 'alice'),
    rootKey(bob, 'bob'),
    { ...window, publicKey: log.publicKey, roles: ['log'], subject: 'log' },
  ],
};
const after = (before: TrustRootFile, change: Partial<TrustRootPlan>): TrustRootPlan => ({
  ...first,
  version: before.trustRoot.version + 1,
  history: [...before.trustRoot.history, digestOf(before.bytes)],
  issuedAtMs: 2_000,
  ...change,
});
const refusal = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('the first trust root', () => {
  it('stands with the signatures of as many subjects as it asks for, given one after the other', async () => {
    const alone = await buildTrustRoot(first, [alice]);
    expect(refusal(() => readFirstTrustRoot(alone))).toBe('CLY_TRUST_ROOT_THRESHOLD');
    const both = { bytes: alone.bytes, dsse: await signTrustRoot(alone, [bob]) };
    expect(readFirstTrustRoot(both).thresholds.root).toBe(2);
  });

  it('counts subjects, not keys, and no key outside of its window', async () => {
    const twice = { ...first, keys: [rootKey(alice, 'alice'), rootKey(carol, 'alice')] };
    const oneSubject = await buildTrustRoot(twice, [alice, carol]);
    expect(refusal(() => readFirstTrustRoot(oneSubject))).toBe('CLY_TRUST_ROOT_THRESHOLD');
    const late = { ...rootKey(bob, 'bob'), validFromMs: 1_001 };
    const tooEarly = await buildTrustRoot({ ...first, keys: [rootKey(alice, 'alice'), late] }, [alice, bob]);
    expect(refusal(() => readFirstTrustRoot(tooEarly))).toBe('CLY_TRUST_ROOT_THRESHOLD');
  });

  it('is refused with an envelope over another file', async () => {
    const [one, other] = [
      await buildTrustRoot(first, [alice, bob]),
      await buildTrustRoot({ ...first, issuedAtMs: 7 }, [alice, bob]),
    ];
    expect(refusal(() => readFirstTrustRoot({ bytes: one.bytes, dsse: other.dsse }))).toBe('CLY_TRUST_ROOT_INVALID');
  });
});

describe('the next trust root', () => {
  it('takes the thresholds of both versions', async () => {
    const v1 = await buildTrustRoot(first, [alice, bob]);
    const keys = [...first.keys, rootKey(carol, 'carol')];
    const next = after(v1, { keys, thresholds: thresholds(1) });
    const byNewAlone = await buildTrustRoot(next, [carol]);
    expect(refusal(() => readNextTrustRoot(v1.bytes, byNewAlone))).toBe('CLY_TRUST_ROOT_THRESHOLD');
    const stricter = after(v1, { keys, thresholds: thresholds(3) });
    const byOldAlone = await buildTrustRoot(stricter, [alice, bob]);
    expect(refusal(() => readNextTrustRoot(v1.bytes, byOldAlone))).toBe('CLY_TRUST_ROOT_THRESHOLD');
    const byAll = await buildTrustRoot(stricter, [alice, bob, carol]);
    expect(readNextTrustRoot(v1.bytes, byAll).version).toBe(2);
  });

  it('names all versions before, so that it judges their bundles too', async () => {
    const v1 = await buildTrustRoot(first, [alice, bob]);
    const v2 = await buildTrustRoot(after(v1, {}), [alice, bob]);
    const v3 = await buildTrustRoot(after(v2, { issuedAtMs: 3_000 }), [alice, bob]);
    const newest = readNextTrustRoot(v2.bytes, v3);
    expect([v1, v2, v3].map(({ bytes }) => coversDigest(newest, digestOf(bytes)))).toEqual([true, true, true]);
    expect(coversDigest(parseTrustRoot(v2.bytes), digestOf(v3.bytes))).toBe(false);
    expect(refusal(() => readNextTrustRoot(v1.bytes, v3))).toBe('CLY_TRUST_ROOT_VERSION');
    expect(refusal(() => readNextTrustRoot(v2.bytes, v1))).toBe('CLY_TRUST_ROOT_ROLLBACK');
    const otherV2 = await buildTrustRoot(after(v1, { issuedAtMs: 9 }), [alice, bob]);
    expect(refusal(() => readNextTrustRoot(v2.bytes, otherV2))).toBe('CLY_TRUST_ROOT_ROLLBACK');
  });

  it('loses and rewrites nothing: windows may shrink, revocations may come', async () => {
    const v1 = await buildTrustRoot(first, [alice, bob]);
    const [a, b, l] = first.keys as [TrustRootKey, TrustRootKey, TrustRootKey];
    const lost = { atMs: 1_500, reason: 'laptop stolen' };
    const read = async (keys: readonly TrustRootKey[]): Promise<unknown> => {
      const next = await buildTrustRoot(after(v1, { keys }), [alice, bob]);
      return refusal(() => readNextTrustRoot(v1.bytes, next).version);
    };
    await expect(read([a, b, { ...l, validToMs: 10, revoked: lost }])).resolves.toBe(2);
    await expect(read([a, b])).resolves.toBe('CLY_TRUST_ROOT_HISTORY');
    await expect(read([a, b, { ...l, roles: ['log', 'bundler'] }])).resolves.toBe('CLY_TRUST_ROOT_HISTORY');
    await expect(read([a, b, { ...l, operator: 'else' }])).resolves.toBe('CLY_TRUST_ROOT_HISTORY');
    await expect(read([a, b, { ...l, validToMs: 2_000_000 }])).resolves.toBe('CLY_TRUST_ROOT_HISTORY');
  });

  it('never takes a revocation back, and a root key that was revoked signs no more', async () => {
    const v1 = await buildTrustRoot(first, [alice, bob]);
    const revoked = { ...(first.keys[1] as TrustRootKey), revoked: { atMs: 1_500, reason: 'left' } };
    const keys = [first.keys[0] as TrustRootKey, revoked, first.keys[2] as TrustRootKey, rootKey(carol, 'carol')];
    const v2 = await buildTrustRoot(after(v1, { keys }), [alice, bob, carol]);
    expect(readNextTrustRoot(v1.bytes, v2).version).toBe(2);
    const forgiven = await buildTrustRoot(after(v2, { keys: [...first.keys, rootKey(carol, 'carol')] }), [
      alice,
      carol,
    ]);
    expect(refusal(() => readNextTrustRoot(v2.bytes, forgiven))).toBe('CLY_TRUST_ROOT_HISTORY');
    const v3 = await buildTrustRoot(after(v2, { keys }), [alice, bob]);
    expect(refusal(() => readNextTrustRoot(v2.bytes, v3))).toBe('CLY_TRUST_ROOT_THRESHOLD');
  });
});
