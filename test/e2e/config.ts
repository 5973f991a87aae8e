// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';

/** The environment of the end-to-end tests: without it they have the size of the gate. */
export type E2eSizes = {
  /** CLYRA_E2E_FLIPS: copies of a bundle that get a bit flipped. */
  readonly flipCount: number;
  /** CLYRA_E2E_SEED: of the first flip; the others follow from it. */
  readonly seed: number;
};

export function e2eSizes(): E2eSizes {
  return {
    flipCount: integer('CLYRA_E2E_FLIPS', 20),
    seed: integer('CLYRA_E2E_SEED', 1 + (Date.now() % 2 ** 31)),
  };
}

function integer(name: string, standard: number): number {
  const value = Number(process.env[name] ?? standard);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} must be a whole number above 0`);
  return value;
}
