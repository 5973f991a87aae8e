// SPDX-License-Identifier: Apache-2.0
/** Randomness as an argument: the platform's in the services, seeded in the simulation. */
export interface Random {
  bytes(size: number): Uint8Array;
}
