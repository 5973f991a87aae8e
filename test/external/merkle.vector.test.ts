// SPDX-License-Identifier: Apache-2.0
import { rootFromPath } from '@clyra/core/merkle/audit-path';
import { isConsistent, isIncluded, isPartOf } from '@clyra/verifier/hash/proof';
import { afterAll, describe, expect, it } from '@jest/globals';
import { printCount, readCases } from './read-cases.ts';

interface MerkleCase {
  readonly name: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
  readonly leafIdx?: number;
  readonly treeSize?: number;
  readonly leafHash?: string;
  readonly root?: string;
  readonly start?: number;
  readonly end?: number;
  readonly size?: number;
  readonly size1?: number;
  readonly size2?: number;
  readonly root1?: string;
  readonly root2?: string;
}

const cases = readCases<MerkleCase>('merkle/cases.jsonl');
const bytes = (base64: string | undefined): Buffer => Buffer.from(base64 ?? '', 'base64');

/** What the verifier says of a case of any of the four kinds. */
function verdictOf(one: MerkleCase): boolean {
  const proof = (one.proof ?? []).map(bytes);
  if (one.leafHash !== undefined) {
    const range = { start: one.start ?? 0, end: one.end ?? one.treeSize ?? 0 };
    return isIncluded(one.leafIdx ?? 0, range, { proof, inner: bytes(one.leafHash), root: bytes(one.root) });
  }
  const proven = { proof, inner: bytes(one.root1), root: bytes(one.root2) };
  return one.size === undefined
    ? isConsistent(one.size1 ?? 0, one.size2 ?? 0, proven)
    : isPartOf({ start: one.start ?? 0, end: one.end ?? 0 }, one.size, proven);
}

const isInclusion = (one: MerkleCase): boolean => one.name.startsWith('inclusion/');

describe('proofs, on the vectors of transparency-dev/merkle', () => {
  afterAll(() => {
    const inclusions = cases.filter(isInclusion).length;
    printCount('merkle', { 'in the verifier': cases.length, 'inclusions in the producer too': inclusions });
  });

  it('are judged by the verifier as the vectors say', () => {
    const wrong = cases.filter((one) => verdictOf(one) === one.wantErr).map(({ name }) => name);
    expect(cases).toHaveLength(518);
    expect(wrong).toEqual([]);
  });

  it('of inclusion are judged by the producer as the vectors say', () => {
    const hex = (base64: string | undefined): string => bytes(base64).toString('hex');
    const wrong = cases.filter(isInclusion).filter((one) => {
      const path = (one.proof ?? []).map(hex);
      const root = rootFromPath(hex(one.leafHash), { index: one.leafIdx ?? 0, size: one.treeSize ?? 0, path });
      // A hash of another length is no digest of the producer's.
      const isHash = bytes(one.leafHash).length === 32;
      return (isHash && root === hex(one.root)) === one.wantErr;
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});
