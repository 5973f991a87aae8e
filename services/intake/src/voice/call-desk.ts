// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import type { DeliverySource } from '@clyra/core/inspection/activation/delivery-source';
import { deliveryFault } from '@clyra/core/inspection/activation/verify-delivery';
import { hasMediaType } from '@clyra/core/inspection/check-body';
import { parseCallRecords } from '@clyra/core/inspection/voice/call-record';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { GatewayAnswer, GatewayRequest } from '../gateway/gateway-request.ts';
import { problemAnswer } from '../gateway/problem-answer.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import type { CallLog } from './call-log.ts';

export type CallDeskParts = {
  readonly calls: CallLog;
  readonly directory: TenantDirectory;
  readonly clock: Clock;
  readonly bodyBytesMax: number;
};

/** Where partners deliver their call records: all lines of a delivery count, or none. */
export class CallDesk {
  readonly #parts: CallDeskParts;

  constructor(parts: CallDeskParts) {
    this.#parts = parts;
  }

  /** The answer, or the code of why the delivery is not its partner's. */
  async serve(request: GatewayRequest, partner: DeliverySource): Promise<GatewayAnswer | string> {
    try {
      return await this.#take(request, partner);
    } catch (error) {
      if (error instanceof ClyraError) return error.code;
      throw error;
    }
  }

  async #take(request: GatewayRequest, partner: DeliverySource): Promise<GatewayAnswer | string> {
    const { calls, directory, clock, bodyBytesMax } = this.#parts;
    const { bytes, tooLarge } = await request.readBody(bodyBytesMax);
    if (tooLarge) return 'CLY_BODY_TOO_LARGE';
    const nowMs = clock.nowMs();
    const headers = (name: string): readonly string[] => request.headers.all(name);
    const fault = deliveryFault(partner, { headers, body: bytes, nowMs });
    if (fault !== undefined) return fault;
    if (request.method !== 'POST') return 'CLY_REQUEST_METHOD';
    if (directory.get(partner.tenant) === undefined) return 'CLY_TENANT_UNKNOWN';
    const type = request.headers.one('content-type') ?? null;
    if (!hasMediaType(type, 'ndjson') && !hasMediaType(type, 'json')) return 'CLY_BODY_MEDIA_TYPE';
    const records = parseCallRecords(bytes, nowMs);
    if ('fault' in records) {
      const detail = `Line ${records.line}: ${records.fault}. Nothing of the delivery was taken.`;
      return problemAnswer({ code: 'CLY_VOICE_RECORD', detail });
    }
    await calls.take(partner, records);
    return {
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      body: canonicalJson({ taken: records.length }),
    };
  }
}
