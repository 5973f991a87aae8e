// SPDX-License-Identifier: Apache-2.0
// The same cases are put to `clyra.redeem` on PostgreSQL (libs/adapters/postgres/src/guard.int.test.ts).
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ClyraError } from '../kernel/error.ts';
import { checkGrant, type Grant, mintGrant, openGrant } from './grant.ts';

type Case = {
  readonly name: string;
  readonly text: string;
  readonly at: {
    readonly source_id: string;
    readonly database: string;
    readonly role: string;
    readonly member: string | null;
    readonly now_ms: number;
  };
  readonly verdict: string;
};
type Vectors = {
  readonly key_hex: string;
  readonly grant: Grant;
  readonly text: string;
  readonly cases: readonly Case[];
};

const vectors = JSON.parse(
  readFileSync(new URL('../../../../schemas/vectors/grants/grants.json', import.meta.url), 'utf8'),
) as Vectors;
const key = Buffer.from(vectors.key_hex, 'hex');

function verdictOf({ text, at }: Case): string {
  try {
    checkGrant(openGrant(text, key), { ...at, nowMs: at.now_ms });
    return 'ok';
  } catch (error) {
    if (error instanceof ClyraError) return error.code.replace('CLY_GRANT_', '');
    throw error;
  }
}

describe('a grant', () => {
  it('is minted to the same text by everybody', () => {
    expect(mintGrant(vectors.grant, key)).toBe(vectors.text);
    expect(openGrant(vectors.text, key)).toEqual(vectors.grant);
  });

  it.each(vectors.cases.map((one) => [one.name, one] as const))('is judged alike everywhere: %s', (_, one) => {
    expect(verdictOf(one)).toBe(one.verdict);
  });
});
