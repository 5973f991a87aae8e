// SPDX-License-Identifier: Apache-2.0

import { SCRIPT_KEYS, SCRIPT_TRUST, START_MS } from '@clyra/testing/fold-script';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { rootFromPath } from '../merkle/audit-path.ts';
import { BATCH_BODIES_MAX, type SignatureBlock, sendRootOf, signBatch } from './batch-signature.ts';
import { BatchVerifier } from './batch-verifier.ts';
import { CHANGE_TYPE, RECEIPT_TYPE } from './pae.ts';
import type { TrustedKey, TrustRoot } from './trust-root.ts';

const { intake } = SCRIPT_KEYS;
const digests = ['a', 'b', 'c'].map((text) => digestOf(text));
let blocks: readonly SignatureBlock[] = [];

beforeAll(async () => {
  blocks = await signBatch(intake, CHANGE_TYPE, digests);
});

/** The trust root with other facts about intake's key. */
function rootWith(facts: Partial<TrustedKey>): TrustRoot {
  const key = SCRIPT_TRUST.root.keys.get(intake.keyId) as TrustedKey;
  return { ...SCRIPT_TRUST.root, keys: new Map([[intake.keyId, { ...key, ...facts }]]) };
}

type Attempt = { readonly root?: TrustRoot; readonly index?: number; readonly block?: Partial<SignatureBlock> };

/** `warm` has seen the whole send before, so that what it remembers must not make it lenient. */
function verifies({ root = SCRIPT_TRUST.root, index = 0, block = {} }: Attempt, digest = digests[index]): boolean {
  const body = {
    digest: digest as string,
    block: { ...(blocks[index] as SignatureBlock), ...block },
    atMs: START_MS,
  };
  const cold = new BatchVerifier(CHANGE_TYPE, 'intake').verify(root, body);
  const warm = new BatchVerifier(CHANGE_TYPE, 'intake');
  digests.forEach((one, at) => {
    const sent = { digest: one, block: blocks[at] as SignatureBlock, atMs: START_MS };
    expect(warm.verify(SCRIPT_TRUST.root, sent)).toBe(true);
  });
  expect(warm.verify(root, body)).toBe(cold);
  return cold;
}

describe('a signature block', () => {
  it('covers each body of its send, and no other', () => {
    expect(digests.map((_, index) => verifies({ index }))).toEqual([true, true, true]);
    expect(verifies({ index: 0 }, digests[1])).toBe(false);
    expect(verifies({ index: 0 }, digestOf('stranger'))).toBe(false);
  });

  it.each([{ index: 1 }, { index: 3 }, { size: 2 }, { size: 4 }, { path: [] }])(
    'holds at its own place only: %j',
    (block) => {
      expect(verifies({ block })).toBe(false);
    },
  );

  it('holds while its key is valid and not revoked, both ends of the time included', () => {
    expect(verifies({ root: rootWith({ validFromMs: START_MS, validToMs: START_MS }) })).toBe(true);
    expect(verifies({ root: rootWith({ validFromMs: START_MS + 1 }) })).toBe(false);
    expect(verifies({ root: rootWith({ validToMs: START_MS - 1 }) })).toBe(false);
    expect(verifies({ root: rootWith({ revokedAtMs: START_MS }) })).toBe(false);
    expect(verifies({ root: rootWith({ revokedAtMs: START_MS + 1 }) })).toBe(true);
    expect(verifies({ root: rootWith({ roles: new Set(['enforcer']) }) })).toBe(false);
  });

  it('of one type is none of another', () => {
    const body = { digest: digests[0] as string, block: blocks[0] as SignatureBlock, atMs: START_MS };
    expect(new BatchVerifier(RECEIPT_TYPE, 'intake').verify(SCRIPT_TRUST.root, body)).toBe(false);
  });

  it('belongs to a send of 1 to 1,024 bodies', () => {
    const leaf = { index: 0, path: Array(11).fill(digestOf('x')), size: BATCH_BODIES_MAX + 1 };
    expect(rootFromPath(digestOf('leaf'), leaf)).toBeDefined();
    for (const size of [0, -1, BATCH_BODIES_MAX + 1]) {
      expect(sendRootOf(digests[0] as string, { ...(blocks[0] as SignatureBlock), ...leaf, size })).toBeUndefined();
    }
  });
});
