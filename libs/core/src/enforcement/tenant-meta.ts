// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { assert } from '../kernel/assert.ts';
import type { StateOp, StateView } from './state-table.ts';

/** The tenant's single facts, under one key. */
export type TenantMeta = {
  readonly tenant: string;
  readonly engine: number;
  readonly policy: Digest | null;
  readonly trust_root: Digest;
  /** Tenant time in milliseconds: the newest append time seen, never going back. */
  readonly time: number;
  /** Numbers of the last window cut and clock tick that counted. */
  readonly window: number;
  readonly tick: number;
};

const META_KEY = 'meta/tenant';

export function readMeta(state: StateView): TenantMeta {
  const meta = state.get(META_KEY);
  assert(meta !== undefined, 'an open tenant has its meta record');
  return meta as unknown as TenantMeta;
}

export function putMeta(meta: TenantMeta): StateOp {
  return { op: 'put', key: META_KEY, value: meta as unknown as JsonObject };
}
