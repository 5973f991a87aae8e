// SPDX-License-Identifier: Apache-2.0
import type { Load } from '../load/run-load.ts';

export type Level = {
  readonly name: string;
  readonly load: Load;
  readonly bodyBytes: number;
  readonly connections: number;
};

/** What the limits of enforcement are given for. */
export const RATE_LEVEL = '500 requests/s';
export const SATURATION_LEVEL = '256 clients';
const RATE_PER_SECOND = 500;
const SATURATION_CLIENTS = 256;

export function levels(quick: boolean): readonly Level[] {
  const sizes = quick ? [1_024] : [1_024, 10_240];
  return sizes.flatMap((bodyBytes) => [
    ...(quick ? [16] : [1, 16, 64]).map((clients) => clientLevel(clients, bodyBytes)),
    {
      name: RATE_LEVEL,
      load: { kind: 'rate', perSecond: RATE_PER_SECOND } as const,
      bodyBytes,
      connections: SATURATION_CLIENTS,
    },
    ...(bodyBytes === 1_024 ? [clientLevel(SATURATION_CLIENTS, bodyBytes)] : []),
  ]);
}

export function hasLimit({ name, bodyBytes }: Level): boolean {
  return bodyBytes === 1_024 && (name === RATE_LEVEL || name === SATURATION_LEVEL);
}

function clientLevel(clients: number, bodyBytes: number): Level {
  const name = clients === 1 ? '1 client' : `${clients} clients`;
  return { name, load: { kind: 'clients', clients }, bodyBytes, connections: clients };
}
