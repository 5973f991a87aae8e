// SPDX-License-Identifier: Apache-2.0
import type { ChangeBody } from '../change/change-body.ts';
import { TIME_SKEW_MS_MAX } from './limits.ts';

/**
 * Whether intake's clock and the log's differ too much for the record to move tenant time, whatever its kind: one
 * broker with a wrong clock, or a record that waited for the log, must not let windows, nonces and keys lapse.
 */
export function isSkewed(change: Pick<ChangeBody, 'intake_at'>, appendTimeMs: number): boolean {
  return Math.abs(appendTimeMs - change.intake_at) > TIME_SKEW_MS_MAX;
}
