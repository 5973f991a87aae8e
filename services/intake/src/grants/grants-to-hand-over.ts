// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import { GRANTS_UPSTREAM } from '@clyra/core/policy/policy';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';
import type { Minted, MintResult } from './grant-mint.ts';

export type { Minted } from './grant-mint.ts';

/** Servers read 16 KiB of headers by default, and the request has others. */
const HEADER_BYTES_MAX = 8_192;

/** Why an allowed change must not go on, where its grants cannot be handed over. */
export function whyNotGranted(
  made: MintResult | undefined,
  upstreamName: string,
): { readonly code: string; readonly detail: string } | undefined {
  if (upstreamName === GRANTS_UPSTREAM) {
    const isWhole = made !== undefined && made.minted.length > 0 && made.placeless.length === 0;
    return isWhole ? undefined : { code: 'CLY_GRANT_PLACE_UNKNOWN', detail: 'grant_place_unknown' };
  }
  const isTooLong = headerText(made?.minted ?? []).length > HEADER_BYTES_MAX;
  return isTooLong ? { code: 'CLY_GRANT_HEADER_SIZE', detail: 'grant_header_size' } : undefined;
}

/** For the upstream: one grant, or those of a change set in its order. */
export function grantHeader(minted: readonly Minted[]): Record<string, string> {
  return minted.length === 0 ? {} : { 'clyra-grant': headerText(minted) };
}

/** No cache may keep what is as good as a password for a while. */
export function grantsAnswer(receipt: DecidedBody, minted: readonly Minted[]): GatewayAnswer {
  const { receipt_id, event_id } = receipt;
  const grants = minted as unknown as readonly JsonObject[];
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'clyra-event-id': event_id,
      'clyra-receipt': receipt_id,
    },
    body: canonicalJson({ event_id, receipt_id, grants }),
  };
}

function headerText(minted: readonly Minted[]): string {
  return minted.map(({ grant }) => grant).join(',');
}
