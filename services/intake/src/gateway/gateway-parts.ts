// SPDX-License-Identifier: Apache-2.0
import type { Analysers } from '@clyra/core/inspection/inspect-request';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { Random } from '@clyra/core/ports/random';
import type { Activation } from '../activation/activation.ts';
import type { BodyIntake } from '../bodies/body-intake.ts';
import type { KeptBodies } from '../bodies/kept-bodies.ts';
import type { OutageWatch } from '../evidence/outage-watch.ts';
import type { ReviewGaps } from '../evidence/review-gaps.ts';
import type { ExternalDetectors } from '../external/external-detectors.ts';
import type { GrantMint } from '../grants/grant-mint.ts';
import type { HeldRequests } from '../human/held-requests.ts';
import type { ChangePublisher } from '../log/change-publisher.ts';
import type { ChangeWriter } from '../log/change-writer.ts';
import type { OutcomeQueue } from '../log/outcome-queue.ts';
import type { ReceiptDesk } from '../log/receipt-desk.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import type { CallLog } from '../voice/call-log.ts';
import type { Credentials } from './authenticate.ts';
import type { EdgeCounter } from './edge-counter.ts';
import type { GatewayMeter } from './gateway-meter.ts';
import type { Upstream } from './upstream.ts';

export type GatewayLimits = {
  /** How long a caller is held for the receipt, in milliseconds. */
  readonly holdMs: number;
  readonly bodyBytesMax: number;
  /** Requests between admission and answer. */
  readonly inFlightMax: number;
};

export const GATEWAY_LIMITS: GatewayLimits = { holdMs: 800, bodyBytesMax: 1_048_576, inFlightMax: 2_000 };

export type GatewayParts = {
  readonly credentials: Credentials;
  readonly directory: TenantDirectory;
  readonly desk: ReceiptDesk;
  readonly publisher: ChangePublisher;
  readonly writer: ChangeWriter;
  readonly outcomes: OutcomeQueue;
  readonly edge: EdgeCounter;
  readonly outages: Pick<OutageWatch, 'refused'>;
  readonly reviewGaps: Pick<ReviewGaps, 'unrecorded'>;
  readonly upstream: Upstream;
  readonly meter: GatewayMeter;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** At least 32 bytes, the same for all intakes of an installation and kept for ever. */
  readonly fingerprintSecret: Uint8Array;
  readonly limits: GatewayLimits;
  readonly analysers?: Analysers;
  readonly externals?: ExternalDetectors;
  /** Bodies of any size; absent, and routes that stream are refused. */
  readonly bodies?: BodyIntake;
  /** What is stored of bodies. */
  readonly kept?: KeptBodies;
  readonly heldRequests?: HeldRequests;
  /** Makes what databases redeem; absent where intake knows no such place. */
  readonly grantMint?: GrantMint;
  /** Deliveries of vendors, and keys held for upstreams; absent where there is no activation file. */
  readonly activation?: Activation;
  /** What telephony partners report; absent where there is no activation file. */
  readonly calls?: CallLog;
};
