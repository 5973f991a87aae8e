// SPDX-License-Identifier: Apache-2.0
import { JsonError as ProducerError } from '@clyra/core/canonical/json-error';
import { BODY_LIMITS, parseJson as parseBody } from '@clyra/core/canonical/parse-json';
import { parseRecord } from '@clyra/core/canonical/record';
import { JsonError } from '@clyra/verifier/json/json-error';
import { parseJson, RECORD } from '@clyra/verifier/json/parse';
import { afterAll, describe, expect, it } from '@jest/globals';
import { printCount, readCases, readExternal } from './read-cases.ts';

type SuiteCase = { readonly name: string } & (
  | { readonly base64: string }
  | { readonly text: string; readonly repeat: number; readonly end: string }
);
type Verdict = 'accept' | 'reject';
interface Verdicts {
  readonly name: string;
  /** As a record: the bytes as the only member of an object. */
  readonly record: Verdict;
  /** As the body of a request, which the producer reads. */
  readonly body: Verdict;
  /** As a document that a verifier reads, such as a policy. */
  readonly document: Verdict;
}

const cases = readCases<SuiteCase>('json-test-suite/cases.jsonl');
const overrides = JSON.parse(readExternal('json-test-suite/overrides.json')) as {
  readonly rejected_though_y: readonly { readonly name: string }[];
};
const verdicts = readCases<Verdicts>('json-test-suite/verdicts.jsonl');

function bytesOf(one: SuiteCase): Buffer {
  return 'base64' in one
    ? Buffer.from(one.base64, 'base64')
    : Buffer.from(`${one.text.repeat(one.repeat)}${one.end}`, 'utf8');
}

function verdictOf(read: () => unknown): Verdict {
  try {
    read();
    return 'accept';
  } catch (error) {
    if (error instanceof JsonError || error instanceof ProducerError) {
      return 'reject';
    }
    throw error;
  }
}

function judge(one: SuiteCase): Verdicts & { readonly recordOfProducer: Verdict } {
  const bytes = bytesOf(one);
  // Records and documents are objects, so what is no object stands in one.
  const member = Buffer.concat([Buffer.from('{"a":'), bytes, Buffer.from('}')]);
  const document = { grammar: 'any', canonical: false, bytesMax: 1_048_576 } as const;
  return {
    name: one.name,
    record: verdictOf(() => parseJson(member, RECORD)),
    recordOfProducer: verdictOf(() => parseRecord(member)),
    body: verdictOf(() => parseBody(bytes, BODY_LIMITS)),
    document: verdictOf(() => parseJson(member, document)),
  };
}

describe('JSONTestSuite', () => {
  const judged = cases.map(judge);
  const of = (kind: string) => cases.filter(({ name }) => name.includes(`/${kind}_`)).length;
  afterAll(() => {
    const counts = { 'to accept': of('y'), 'to reject': of('n'), open: of('i'), transforms: cases.length - 318 };
    printCount('JSONTestSuite', { ...counts, overridden: overrides.rejected_though_y.length });
  });

  it('has all its cases', () => {
    expect([of('y'), of('n'), of('i'), cases.length]).toEqual([95, 188, 35, 318 + 22]);
  });

  it('is judged as published, by producer and verifier', () => {
    expect(judged.map(({ recordOfProducer: _, ...rest }) => rest)).toEqual(verdicts);
    expect(judged.filter(({ record, recordOfProducer }) => record !== recordOfProducer)).toEqual([]);
  });

  it('has nothing accepted that it rejects', () => {
    const lax = judged.filter(
      (one) => one.name.includes('/n_') && `${one.record}${one.body}${one.document}`.includes('accept'),
    );
    expect(lax.map(({ name }) => name)).toEqual([]);
  });

  it('has nothing rejected that it accepts, but what overrides.json says', () => {
    const strict = judged.filter((one) => one.name.includes('/y_') && one.body === 'reject');
    expect(strict.map(({ name }) => name)).toEqual(overrides.rejected_though_y.map(({ name }) => name));
  });
});
