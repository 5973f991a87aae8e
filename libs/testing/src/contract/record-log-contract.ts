// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe } from '@jest/globals';
import { appendContract } from './record-log-append-contract.ts';
import type { RecordLogHarness } from './record-log-harness.ts';
import { offsetsContract } from './record-log-offsets-contract.ts';
import { readContract } from './record-log-read-contract.ts';

export type RecordLogContract = { readonly name: string; readonly create: () => Promise<RecordLogHarness> };

/**
 * What every record log promises. Run on the simulated log and on real Kafka, it keeps the simulation honest: a
 * property that only one of them holds is a defect of the other, or of this suite.
 */
export function recordLogContract({ name, create }: RecordLogContract): void {
  describe(`record log: ${name}`, () => {
    let harness: RecordLogHarness | undefined;

    beforeAll(async () => {
      harness = await create();
    });

    afterAll(async () => {
      await harness?.close();
    });

    const use = () => {
      if (harness === undefined) throw new Error('the harness was not created');
      return harness;
    };

    appendContract(use);
    readContract(use);
    offsetsContract(use);
  });
}
