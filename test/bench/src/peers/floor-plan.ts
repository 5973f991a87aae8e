// SPDX-License-Identifier: Apache-2.0
/** The keys of one process as PEM: its own to sign with, and the other one's to check what it reads. */
export type FloorKeys = { readonly ownPrivate: string; readonly otherPublic: string };

/** What the two processes of the floor share: the topics, and the sizes that the gateway's own records have. */
export type FloorPlan = {
  readonly upstreamUrl: string;
  readonly brokers: readonly string[];
  readonly requests: string;
  readonly answers: string;
  readonly partitionCount: number;
  readonly requestBytes: number;
  readonly answerBytes: number;
  /** With them every send is signed and checked. */
  readonly keys?: Readonly<Record<'proxy' | 'forwarder', FloorKeys>>;
};

/** Each value begins with the id of its request; the rest is filling. */
export const FLOOR_ID_BYTES = 16;
export const FLOOR_DEADLINE_MS = 20_000;

export function floorPlanOf(argument: string | undefined): FloorPlan {
  return JSON.parse(argument ?? '{}') as FloorPlan;
}
