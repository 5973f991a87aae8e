// SPDX-License-Identifier: Apache-2.0
/** What the two processes of the floor share: the topics, and the sizes that the gateway's own records have. */
export type FloorPlan = {
  readonly upstreamUrl: string;
  readonly brokers: readonly string[];
  readonly requests: string;
  readonly answers: string;
  readonly partitionCount: number;
  readonly requestBytes: number;
  readonly answerBytes: number;
};

/** Each value begins with the id of its request; the rest is filling. */
export const FLOOR_ID_BYTES = 16;
export const FLOOR_DEADLINE_MS = 20_000;

export function floorPlanOf(argument: string | undefined): FloorPlan {
  return JSON.parse(argument ?? '{}') as FloorPlan;
}
