// SPDX-License-Identifier: Apache-2.0
/**
 * Engine 1's constants. They are part of what engine 1 means: a change here after its release would change recorded
 * decisions, and needs engine 2.
 */
export const ENGINE_1 = 1;

/** How far the intake's clock and the log's may differ before a request is refused. */
export const TIME_SKEW_MS_MAX = 2_000;
/** How long an event id is recognised, in tenant time. */
export const EVENT_MEMORY_MS = 600_000;
/**
 * How long a nonce may not come again. A request's own time-stamp may lie up to 300,000 ms before or behind intake's
 * clock, so the same bytes are acceptable for twice as long; the rest covers what intake's clock may differ from the log's.
 */
export const NONCE_MEMORY_MS = 610_000;
/** After this an allowed change without an outcome is unknown. */
export const OUTCOME_DEADLINE_MS = 60_000;

/** Nobody signs what may be used later than a day: a forgotten command must not be found again. */
export const COMMAND_VALID_MS_MAX = 86_400_000;
/** How long a closed run's id cannot be opened again. */
export const RUN_MEMORY_MS = 604_800_000;
/** After this long without a record a run may be closed by others than its opener: whoever opened it is gone. */
export const RUN_IDLE_MS = 86_400_000;
/** How long an intake instance is remembered that holds no open change and writes nothing. */
export const INTAKE_MEMORY_MS = 86_400_000;
/** How exactly it is known when an instance wrote last: state need not change with each of its records. */
export const INTAKE_SEEN_STEP_MS = 3_600_000;
/** How long a held request can be approved. */
export const HELD_MEMORY_MS = 86_400_000;
/** From when it is issued to when it admits nothing more. */
export const APPROVAL_MS_MAX = 900_000;
/** How long a challenge may not come again: longer than any approval that names it lives. */
export const CHALLENGE_MEMORY_MS = 3_600_000;
/** Approvals that wait on one held request. */
export const GRANTS_MAX = 16;

/** Keys per tenant and namespace: beyond, what needs another key is blocked with CLY_STATE_FULL rather than another forgotten. */
export const KEY_COUNT_MAX: Readonly<Record<string, number>> = {
  event: 1_000_000,
  nonce: 1_000_000,
  idem: 1_000_000,
  velocity: 100_000,
  velocity_chunk: 50_000,
  metric: 100_000,
  tripped: 10_000,
  loop: 50_000,
  cool: 50_000,
  cost: 100_000,
  deploy: 100_000,
  deploy_rate: 10_000,
  pending: 100_000,
  held: 100_000,
  challenge: 100_000,
  emergency: 10_000,
  open: 50_000,
  abandoned: 100_000,
  run: 1_000,
  run_closed: 100_000,
  source: 100,
  switch: 10_000,
  intake: 1_000,
  command: 10_000,
  delegation: 64,
};
