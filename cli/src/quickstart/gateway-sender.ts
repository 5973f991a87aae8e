// SPDX-License-Identifier: Apache-2.0

import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { signRequest } from '@clyra/core/inspection/request-signature';
import type { Clock } from '@clyra/core/ports/clock';
import type { Random } from '@clyra/core/ports/random';
import type { Credential } from '../local/credentials.ts';

export type Change = {
  readonly target: string;
  readonly body: string;
  readonly actor: string;
  /** Absent: the change belongs to no run. */
  readonly runId?: string;
  readonly idempotencyKey: string;
  /** What the header says; the credential's tenant by default. */
  readonly tenant?: string;
};

export type Sent = { readonly status: number; readonly eventId: string | undefined; readonly problem: JsonObject };

export type SenderOptions = {
  readonly gatewayUrl: string;
  readonly credential: Credential;
  readonly clock: Clock;
  readonly random: Random;
};

const DEADLINE_MS = 15_000;

/** A client of the gateway: signs each request as any caller would. Rejects only when nobody answers. */
export function gatewaySender(options: SenderOptions): (change: Change) => Promise<Sent> {
  const { credential } = options;
  return async (change) => {
    const signed = signRequest({
      keyId: credential.key_id,
      secret: Buffer.from(credential.secret, 'base64'),
      method: 'POST',
      target: change.target,
      tenant: change.tenant ?? credential.tenant,
      actor: change.actor,
      nowMs: options.clock.nowMs(),
      nonce: Buffer.from(options.random.bytes(16)).toString('hex'),
      idempotencyKey: change.idempotencyKey,
      ...(change.runId === undefined ? {} : { runId: change.runId }),
      body: change.body,
    });
    const response = await fetch(`${options.gatewayUrl}${change.target}`, {
      method: 'POST',
      headers: { ...signed, 'content-type': 'application/json' },
      body: change.body,
      redirect: 'error',
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const text = await response.text();
    const eventId = response.headers.get('clyra-event-id') ?? undefined;
    return { status: response.status, eventId, problem: response.ok ? {} : problemOf(text) };
  };
}

function problemOf(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as JsonValue;
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
