// SPDX-License-Identifier: Apache-2.0
import type { Primitive } from './primitive.ts';
import { approval } from './primitives/approval.ts';
import { changeSets } from './primitives/change-sets.ts';
import { costCaps } from './primitives/cost-caps.ts';
import { dbtTests } from './primitives/dbt-tests.ts';
import { deploy } from './primitives/deploy.ts';
import { detectors } from './primitives/detectors.ts';
import { externalDetectors } from './primitives/external-detectors.ts';
import { fences } from './primitives/fences.ts';
import { idempotency } from './primitives/idempotency.ts';
import { killSwitch } from './primitives/kill-switch.ts';
import { loopBreaker } from './primitives/loop-breaker.ts';
import { metricSwitch } from './primitives/metric-switch.ts';
import { replayGuard } from './primitives/replay-guard.ts';
import { routeKnown } from './primitives/route-known.ts';
import { schemaLock } from './primitives/schema-lock.ts';
import { sqlSafety } from './primitives/sql-safety.ts';
import { validators } from './primitives/validators.ts';
import { velocity } from './primitives/velocity.ts';
import { voice } from './primitives/voice.ts';

/** Every control of engine 1. The order decides only the order of reasons in a receipt. */
export const PRIMITIVES: readonly Primitive[] = [
  replayGuard,
  fences,
  routeKnown,
  schemaLock,
  validators,
  dbtTests,
  changeSets,
  killSwitch,
  metricSwitch,
  loopBreaker,
  sqlSafety,
  voice,
  deploy,
  detectors,
  externalDetectors,
  idempotency,
  velocity,
  costCaps,
  approval,
];
