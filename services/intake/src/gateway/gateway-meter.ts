// SPDX-License-Identifier: Apache-2.0
/** What the gateway counts; the service gives it to its metrics, tests may ignore it. */
export interface GatewayMeter {
  /** From the sending of a change to its receipt, in milliseconds. */
  held(durationMs: number): void;
  /** `result`: allow, block, hold, deadline, cancelled or review. */
  decided(result: string): void;
  refused(code: string): void;
  /** A receipt came when its caller waited no more. */
  late(): void;
}

export const noMeter: GatewayMeter = { held: () => {}, decided: () => {}, refused: () => {}, late: () => {} };
