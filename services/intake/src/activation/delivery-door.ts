// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { DeliverySource } from '@clyra/core/inspection/activation/delivery-source';
import { type DeliveryPart, splitDelivery } from '@clyra/core/inspection/activation/split-delivery';
import { deliveryFault, webhookId } from '@clyra/core/inspection/activation/verify-delivery';
import { emptyBody, type ReceivedBody } from '@clyra/core/inspection/check-body';
import { parseTarget } from '@clyra/core/inspection/request-target';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { Random } from '@clyra/core/ports/random';
import type { Exchange } from '../gateway/change-attempt.ts';
import type { GatewayAnswer, GatewayRequest } from '../gateway/gateway-request.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import type { Activation, Hook } from './activation.ts';
import { batchAnswer, type DeliveryResult, resultOf, singleAnswer } from './delivery-answer.ts';

export type DeliveryDoorParts = {
  readonly activation: Activation;
  readonly directory: TenantDirectory;
  readonly clock: Clock;
  readonly random: Random;
  readonly bodyBytesMax: number;
  /** Brings one change to its end. */
  readonly decide: (exchange: Exchange) => Promise<GatewayAnswer>;
};

/** Records of one batch that are on their way at the same time. */
const PARALLEL_MAX = 16;
/** Of an upstream's answer to one record of a batch, which nobody is shown. */
const ANSWER_BYTES_MAX = 1_048_576;

type Taken = { readonly request: GatewayRequest; readonly source: DeliverySource; readonly body: ReceivedBody };

/** Deliveries of vendors that cannot sign as callers do: proved by what their vendor sends, and then changes like any other. */
export class DeliveryDoor {
  readonly #parts: DeliveryDoorParts;

  constructor(parts: DeliveryDoorParts) {
    this.#parts = parts;
  }

  /** The answer, or the code of why the delivery is none of its source. */
  async serve(request: GatewayRequest, hook: Hook): Promise<GatewayAnswer | string> {
    const body = await this.#readBody(request);
    if (typeof body === 'string') return body;
    if (body.tooLarge) return 'CLY_BODY_TOO_LARGE';
    const proved = await this.#prove(request, hook, body);
    if (typeof proved === 'string') return proved;
    const { source } = proved;
    if (this.#parts.directory.get(source.tenant) === undefined) return 'CLY_TENANT_UNKNOWN';
    const taken: Taken = { request: { ...request, target: hook.target }, source, body };
    const parts = this.#split(taken);
    if (typeof parts === 'string') return singleAnswer(source.kind, await this.#refused(taken, parts));
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) {
      return singleAnswer(source.kind, await this.#parts.decide(this.#exchange(taken, first)));
    }
    return batchAnswer(source.kind, await this.#all(taken, parts));
  }

  async #readBody(request: GatewayRequest): Promise<ReceivedBody | string> {
    try {
      return await request.readBody(this.#parts.bodyBytesMax);
    } catch (error) {
      if (error instanceof ClyraError) return error.code;
      throw error;
    }
  }

  /** As the file says now, or as it says when it is read again: the source whose delivery it is. */
  async #prove(request: GatewayRequest, hook: Hook, { bytes }: ReceivedBody): Promise<Hook | string> {
    const { activation, clock } = this.#parts;
    const headers = (name: string): readonly string[] => request.headers.all(name);
    const faultOf = (source: DeliverySource): string | undefined =>
      deliveryFault(source, { headers, body: bytes, nowMs: clock.nowMs() });
    const fault = faultOf(hook.source);
    if (fault === undefined) return hook;
    const again = (await activation.refresh()) ? activation.hookOf(request.target) : undefined;
    return again !== undefined && faultOf(again.source) === undefined ? again : fault;
  }

  #split({ request, source, body }: Taken): readonly DeliveryPart[] | string {
    const { headers, method, target } = request;
    const path = parseTarget(target)?.path;
    const policy = this.#parts.directory.get(source.tenant)?.policy;
    const route = path === undefined ? undefined : policy?.routes.match(method, path);
    return splitDelivery({
      source,
      body: body.bytes,
      contentType: headers.one('content-type') ?? null,
      contentEncoding: headers.one('content-encoding') ?? null,
      batch: route?.batch ?? 'each',
      deliveryId: webhookId({ headers: (name) => headers.all(name) }),
    });
  }

  /** Proved and yet no delivery: its receipt says why, since its sender is known. */
  #refused(taken: Taken, fault: string): Promise<GatewayAnswer> {
    return this.#parts.decide({
      ...this.#exchange(taken, { bytes: taken.body.bytes, key: '' }),
      ...faulty(taken, fault),
    });
  }

  #exchange({ request, source }: Taken, { bytes, key }: DeliveryPart): Exchange {
    const { clock, random } = this.#parts;
    const digest = digestOf(bytes);
    const { name, tenant, actor } = source;
    const { headers } = request;
    return {
      request,
      caller: {
        credential: { id: `hooks/${name}`, tenant, actors: [actor] },
        tenant,
        actor,
        claimed: { tenant: headers.one('x-tenant-id') ?? null, actor: headers.one('x-actor-id') ?? null },
        nonce: Buffer.from(random.bytes(16)).toString('hex'),
        runId: null,
        idempotencyKeys: key === '' ? [] : [key],
        claimedDigest: bytes.length === 0 ? null : digest,
        signedAtMs: clock.nowMs(),
      },
      body: bytes.length === 0 ? emptyBody() : { bytes, digest, size: bytes.length, tooLarge: false },
      delivery: { source, fault: null },
    };
  }

  /** Every record on its own: what one is refused for stops no other. */
  async #all(taken: Taken, parts: readonly DeliveryPart[]): Promise<readonly DeliveryResult[]> {
    const results: DeliveryResult[] = new Array(parts.length);
    const waiting = parts.entries();
    const work = async (): Promise<void> => {
      for (const [index, part] of waiting) {
        const answer = await this.#parts.decide(this.#exchange(taken, part));
        await drain(answer);
        results[index] = resultOf(answer);
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL_MAX, parts.length) }, work));
    return results;
  }
}

function faulty({ source }: Taken, fault: string): Pick<Exchange, 'delivery'> {
  return { delivery: { source, fault } };
}

/** An answer that nobody reads would keep its connection, and its outcome open. */
async function drain({ body }: GatewayAnswer): Promise<void> {
  if (typeof body === 'string' || body instanceof Uint8Array) return;
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > ANSWER_BYTES_MAX) return;
    }
  } catch {
    // The status came before it broke off; what the upstream did is its outcome.
  }
}
