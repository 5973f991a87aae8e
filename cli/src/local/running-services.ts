// SPDX-License-Identifier: Apache-2.0
import type { LocalLayout, ServiceName } from './layout.ts';

/** One service to start, with its whole environment. */
export type ServicePlan = { readonly name: ServiceName; readonly env: Readonly<Record<string, string>> };

export type StartOptions = {
  readonly layout: LocalLayout;
  readonly startDeadlineMs: number;
  readonly onProgress: (line: string) => void;
};

export type RunningServices = {
  readonly services: readonly { readonly name: ServiceName; readonly url: string }[];
  /** Stops them in the order of the flow: intake first, so that what it admitted is still decided and sealed. */
  stop(): Promise<void>;
};
