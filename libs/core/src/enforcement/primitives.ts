// SPDX-License-Identifier: Apache-2.0
import type { Primitive } from './primitive.ts';
import { approval } from './primitives/approval.ts';
import { fences } from './primitives/fences.ts';
import { idempotency } from './primitives/idempotency.ts';
import { killSwitch } from './primitives/kill-switch.ts';
import { replayGuard } from './primitives/replay-guard.ts';
import { routeKnown } from './primitives/route-known.ts';
import { schemaLock } from './primitives/schema-lock.ts';
import { velocity } from './primitives/velocity.ts';

/** Every control of engine 1. The order decides only the order of reasons in a receipt. */
export const PRIMITIVES: readonly Primitive[] = [
  replayGuard,
  fences,
  routeKnown,
  schemaLock,
  killSwitch,
  idempotency,
  velocity,
  approval,
];
