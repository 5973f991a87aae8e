// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { emptyBody, type ReceivedBody } from '@clyra/core/inspection/check-body';
import type { Analysers } from '@clyra/core/inspection/inspect-request';
import type { PolicyInForce } from '@clyra/core/inspection/policy-in-force';
import { TIMESTAMP_TOLERANCE_MS } from '@clyra/core/inspection/request-signature';
import { parseTarget } from '@clyra/core/inspection/request-target';
import { BodyInspection, type StreamFinding } from '@clyra/core/inspection/stream/body-inspection';
import { ItemDetection } from '@clyra/core/inspection/stream/item-detection';
import { type StreamPlan, streamPlan } from '@clyra/core/inspection/stream/stream-plan';
import { ValidatorSet } from '@clyra/core/inspection/validator-set';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Route } from '@clyra/core/policy/policy';
import type { Clock } from '@clyra/core/ports/clock';
import type { GatewayRequest } from '../gateway/gateway-request.ts';
import type { SpoolFolder } from './spool-folder.ts';
import type { SpooledBody } from './spooled-body.ts';

/** A body that was read piece by piece: what was found in it, under which policy, and where it waits. */
export type StreamedBody = {
  readonly body: ReceivedBody;
  readonly finding: StreamFinding;
  readonly policy: PolicyInForce;
  readonly spooled: SpooledBody;
};

/** A route whose bodies stream. */
export type StreamedRoute = { readonly route: Route; readonly plan: StreamPlan; readonly policy: PolicyInForce };

export type BodyIntakeParts = { readonly spool: SpoolFolder; readonly analysers?: Analysers; readonly clock: Clock };

const SILENCE_MS_MAX = 10_000;

/** Bodies of any size: inspected and hashed while they come in, kept in the spool until it is decided. */
export class BodyIntake {
  readonly #parts: BodyIntakeParts;
  /** Plans hold compiled schemas, and go with their policy. */
  readonly #plans = new WeakMap<PolicyInForce, ReadonlyMap<string, StreamPlan>>();

  constructor(parts: BodyIntakeParts) {
    this.#parts = parts;
  }

  /** undefined where the body is read whole, like most. */
  routeFor(
    { method, target }: Pick<GatewayRequest, 'method' | 'target'>,
    policy: PolicyInForce,
  ): StreamedRoute | undefined {
    const plans = this.#plansOf(policy);
    if (plans.size === 0) return undefined;
    const parsed = parseTarget(target);
    const route = parsed === undefined ? undefined : policy.routes.match(method, parsed.path);
    const plan = route === undefined ? undefined : plans.get(route.id);
    return route === undefined || plan === undefined ? undefined : { route, plan, policy };
  }

  /** Rejects with a ClyraError when the body does not come, or there is no room for it: nothing is kept then. */
  async receive(request: GatewayRequest, streamed: StreamedRoute, signedAtMs: number): Promise<StreamedBody> {
    const { spool, clock } = this.#parts;
    const spooled = spool.create();
    try {
      const received = await this.#read(request, streamed, spooled);
      // A nonce is remembered about as long as a time-stamp may lie: a body must not take the request beyond that.
      if (Math.abs(clock.nowMs() - signedAtMs) > TIMESTAMP_TOLERANCE_MS) {
        throw new ClyraError('CLY_AUTH_TIMESTAMP', 'the request became too old while its body came', {
          retry: 'backoff',
        });
      }
      return received;
    } catch (error) {
      await spooled.discard();
      throw error;
    }
  }

  /** What is found in a body that waits, under another policy; undefined where that does not stream the route. */
  async inspectAgain(
    request: Pick<GatewayRequest, 'method' | 'target'>,
    before: StreamedBody,
    policy: PolicyInForce,
  ): Promise<StreamedBody | undefined> {
    const streamed = this.routeFor(request, policy);
    if (streamed === undefined || before.body.size > streamed.plan.bytesMax) return undefined;
    const inspection = this.#inspection(streamed);
    for await (const chunk of before.spooled.read()) inspection.push(chunk);
    return { ...before, finding: inspection.end(), policy };
  }

  async #read(request: GatewayRequest, streamed: StreamedRoute, spooled: SpooledBody): Promise<StreamedBody> {
    const { plan, policy, route } = streamed;
    const inspection = this.#inspection(streamed);
    const declared = Number(request.headers.one('content-length') ?? 0);
    if (declared > plan.bytesMax) {
      return { body: { ...emptyBody(), tooLarge: true }, finding: inspection.end(), policy, spooled };
    }
    const hash = createHash('sha256');
    const deadlineMs = (route.body?.deadline_seconds ?? 60) * 1_000;
    let size = 0;
    for await (const chunk of request.streamBody({ deadlineMs, silenceMs: SILENCE_MS_MAX })) {
      size += chunk.length;
      hash.update(chunk);
      if (size > plan.bytesMax) break;
      inspection.push(chunk);
      // What cannot be allowed any more is only hashed, so that its receipt says what it was.
      if (inspection.isSound || route.mode === 'review') await spooled.write(chunk);
    }
    const tooLarge = size > plan.bytesMax;
    if (!tooLarge) await spooled.finish();
    const body: ReceivedBody = { bytes: new Uint8Array(), digest: hash.digest('hex'), size, tooLarge };
    return { body, finding: inspection.end(), policy, spooled };
  }

  #inspection({ route, plan, policy }: StreamedRoute): BodyInspection {
    const validators = ValidatorSet.of(policy.policy, route.id, policy.schemas);
    const detection = ItemDetection.of(policy.policy, route.id, this.#parts.analysers?.packs);
    return new BodyInspection({
      plan,
      policy: policy.policy,
      routeId: route.id,
      ...(validators === undefined ? {} : { validators }),
      ...(detection === undefined ? {} : { detection }),
    });
  }

  #plansOf(policy: PolicyInForce): ReadonlyMap<string, StreamPlan> {
    const known = this.#plans.get(policy);
    if (known !== undefined) return known;
    const plans = new Map<string, StreamPlan>();
    for (const route of policy.policy.routes) {
      const plan = route.body && streamPlan(policy.policy, route.schema, route.body);
      if (plan !== undefined) plans.set(route.id, plan);
    }
    this.#plans.set(policy, plans);
    return plans;
  }
}
