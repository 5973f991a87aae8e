// SPDX-License-Identifier: Apache-2.0
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import type { ReceivedBody } from '@clyra/core/inspection/check-body';
import { ClyraError } from '@clyra/core/kernel/error';
import { DeliveryDoor } from '../activation/delivery-door.ts';
import type { BodyIntake, StreamedBody, StreamedRoute } from '../bodies/body-intake.ts';
import { directoryWhen } from '../tenants/directory-when.ts';
import { CallDesk } from '../voice/call-desk.ts';
import { askAbout } from './ask-about.ts';
import { authenticateWithRefresh, type Caller } from './authenticate.ts';
import { namingFault } from './caller-names.ts';
import { type ChangeAttempt, ChangeInspector, type Exchange } from './change-attempt.ts';
import { Forwarder } from './forwarder.ts';
import type { GatewayParts } from './gateway-parts.ts';
import type { GatewayAnswer, GatewayRequest } from './gateway-request.ts';
import { HoldLine } from './hold-line.ts';
import { problemAnswer, refusalAnswer } from './problem-answer.ts';
import { shapeFault } from './request-shape.ts';

/**
 * The firewall's front: every request is a change, held until its receipt says what becomes of it. No durable receipt,
 * no change: whatever fails here, nothing is forwarded.
 */
export class Gateway {
  readonly #parts: GatewayParts;
  readonly #inspector: ChangeInspector;
  readonly #holdLine: HoldLine;
  readonly #forwarder: Forwarder;
  readonly #door: DeliveryDoor | undefined;
  readonly #desk: CallDesk | undefined;
  #inFlight = 0;
  #stopping = false;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#inspector = new ChangeInspector(parts);
    this.#holdLine = new HoldLine(parts);
    this.#forwarder = new Forwarder(parts);
    const { activation, limits, calls } = parts;
    if (calls !== undefined) this.#desk = new CallDesk({ ...parts, calls, bodyBytesMax: limits.bodyBytesMax });
    if (activation !== undefined) {
      const decide = (exchange: Exchange): Promise<GatewayAnswer> => this.#decide(exchange);
      this.#door = new DeliveryDoor({ ...parts, activation, bodyBytesMax: limits.bodyBytesMax, decide });
    }
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** From here on every request is answered 503; those in flight go on. */
  stop(): void {
    this.#stopping = true;
  }

  /** Never rejects for anything a client, the log or an upstream does. */
  handle(request: GatewayRequest): Promise<GatewayAnswer> {
    return this.#admit(() => this.#serve(request));
  }

  /** As `handle`, for a request whose shape and caller are known to be good. */
  handleFor(request: GatewayRequest, caller: Caller): Promise<GatewayAnswer> {
    return this.#admit(() => this.#serveCaller(request, caller));
  }

  async #admit(serve: () => Promise<GatewayAnswer>): Promise<GatewayAnswer> {
    const closed = this.whyClosed();
    if (closed !== undefined) {
      this.#parts.meter.refused(closed);
      return problemAnswer({ code: closed, detail: 'Nothing was recorded or forwarded; repeat the request.' });
    }
    this.#inFlight += 1;
    try {
      return await serve();
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** The code that a request would be answered with before anything of it is looked at; undefined where it is let in. */
  whyClosed(): string | undefined {
    if (this.#stopping) return 'CLY_INTAKE_STOPPING';
    const isFull = this.#inFlight >= this.#parts.limits.inFlightMax || !this.#holdLine.isOpen();
    if (isFull) return 'CLY_INTAKE_BUSY';
    return this.#parts.outcomes.isOpen() ? undefined : 'CLY_INTAKE_OUTCOMES_WAIT';
  }

  async #serve(request: GatewayRequest): Promise<GatewayAnswer> {
    const fault = shapeFault(request);
    if (fault !== undefined) return this.#refuse(fault);
    const partner = this.#desk && this.#parts.activation?.partnerOf(request.target);
    if (partner !== undefined) return this.#answered(await (this.#desk as CallDesk).serve(request, partner));
    const hook = this.#parts.activation?.hookOf(request.target);
    if (hook !== undefined) return this.#answered(await (this.#door as DeliveryDoor).serve(request, hook));
    const caller = await authenticateWithRefresh(request, this.#parts.credentials, this.#parts.clock);
    return typeof caller === 'string' ? this.#refuse(caller) : this.#serveCaller(request, caller);
  }

  async #serveCaller(request: GatewayRequest, caller: Caller): Promise<GatewayAnswer> {
    const tenant = this.#parts.directory.get(caller.credential.tenant);
    if (tenant === undefined) return this.#refuse('CLY_TENANT_UNKNOWN');
    const unnamed = namingFault(caller, tenant.policy.policy.tenant_fences.required_headers);
    if (unnamed !== undefined) return this.#refuse(unnamed);
    const streamed = this.#parts.bodies?.routeFor(request, tenant.policy);
    if (streamed !== undefined) return this.#serveStreamed(request, caller, streamed);
    const body = await this.#readBody(request);
    if (typeof body === 'string') return this.#refuse(body);
    return this.#decide({ request, caller, body });
  }

  #answered(answer: GatewayAnswer | string): GatewayAnswer {
    return typeof answer === 'string' ? this.#refuse(answer) : answer;
  }

  async #serveStreamed(request: GatewayRequest, caller: Caller, route: StreamedRoute): Promise<GatewayAnswer> {
    let streamed: StreamedBody;
    try {
      streamed = await (this.#parts.bodies as BodyIntake).receive(request, route, caller.signedAtMs);
    } catch (error) {
      if (error instanceof ClyraError) return this.#refuse(error.code);
      throw error;
    }
    try {
      // A body takes its time, in which the policy may have changed.
      const current = await this.#underPolicy({ request, caller, body: streamed.body, streamed });
      return current === undefined ? this.#refuse('CLY_POLICY_MOVED') : await this.#decide(current);
    } finally {
      await streamed.spooled.discard();
    }
  }

  /** The exchange as it looks under the tenant's policy of this moment. */
  async #underPolicy(exchange: Exchange): Promise<Exchange | undefined> {
    const { streamed } = exchange;
    const policy = this.#parts.directory.get(exchange.caller.credential.tenant)?.policy;
    if (streamed === undefined || policy === undefined || streamed.policy.digest === policy.digest) return exchange;
    const again = await this.#parts.bodies?.inspectAgain(exchange.request, streamed, policy);
    return again === undefined ? undefined : { ...exchange, streamed: again };
  }

  async #readBody(request: GatewayRequest): Promise<ReceivedBody | string> {
    try {
      return await request.readBody(this.#parts.limits.bodyBytesMax);
    } catch (error) {
      if (error instanceof ClyraError) return error.code;
      throw error;
    }
  }

  async #decide(exchange: Exchange): Promise<GatewayAnswer> {
    const { intent } = exchange.request;
    const holdMs = intent?.holdMs ?? this.#parts.limits.holdMs;
    const deadlineAtMs = this.#parts.clock.nowMs() + holdMs;
    const asked = await this.#askDetectors(exchange);
    const first = this.#inspect(asked);
    if (typeof first === 'string') return this.#refuse(first);
    // A record may come again: only its receipt tells, so an intent waits for it in review mode too.
    const waits = first.route?.mode !== 'review' || intent !== undefined || !isIntact(exchange);
    if (!waits) return this.#review(exchange, first);
    const end = await this.#holdLine.hold(first, deadlineAtMs, exchange.request.client);
    if (typeof end === 'string' || !isMoved(end)) return this.#conclude(exchange, first, end);
    await this.#policyAfter(first, deadlineAtMs);
    const moved = await this.#underPolicy(exchange);
    if (moved === undefined) return this.#refuse('CLY_POLICY_MOVED');
    const second = this.#inspect(await this.#askDetectors(moved), first.change.eventId);
    if (typeof second === 'string') return this.#refuse(second);
    // A long body takes longer to be read again than callers of short ones are held.
    const again = moved.streamed === undefined ? deadlineAtMs : this.#parts.clock.nowMs() + holdMs;
    return this.#conclude(moved, second, await this.#holdLine.hold(second, again, exchange.request.client));
  }

  /** Detectors outside are asked before the change is written, since what they say is one of its facts. */
  async #askDetectors(exchange: Exchange): Promise<Exchange> {
    const { externals, directory, limits } = this.#parts;
    const tenant = directory.get(exchange.caller.credential.tenant);
    if (externals === undefined || tenant === undefined) return exchange;
    if (tenant.policy.policy.external_detectors.length === 0) return exchange;
    return { ...exchange, externals: await askAbout(externals, { exchange, tenant, deadlineMs: limits.holdMs / 2 }) };
  }

  #inspect(exchange: Exchange, supersedes?: string): ChangeAttempt | string {
    const tenant = this.#parts.directory.get(exchange.caller.credential.tenant);
    if (tenant === undefined) return 'CLY_TENANT_UNKNOWN';
    // What was found under one policy must not stand in the log as found under another.
    const { streamed } = exchange;
    if (streamed !== undefined && streamed.policy.digest !== tenant.policy.digest) return 'CLY_POLICY_MOVED';
    return this.#inspector.inspect(exchange, tenant, supersedes);
  }

  async #conclude(
    exchange: Exchange,
    attempt: ChangeAttempt,
    end: DecidedBody | 'deadline' | 'cancelled',
  ): Promise<GatewayAnswer> {
    const { eventId } = attempt.change;
    if (typeof end === 'string') {
      const code = end === 'deadline' ? 'CLY_RECEIPT_DEADLINE' : 'CLY_INTAKE_CANCELLED';
      const detail = 'No receipt came in time. Nothing was forwarded, and nothing will be; repeat the request.';
      return problemAnswer({ code, detail, eventId });
    }
    if (end.decision === 'allow') return this.#forwarder.forward({ exchange, attempt, receipt: end });
    if (isOnlyReviewed(exchange, end)) return this.#forwarder.forward({ exchange, attempt, receipt: undefined });
    const { facts } = attempt;
    const payloadHash = facts.canonical_digest ?? facts.payload_digest;
    const members = await this.#parts.heldRequests?.take(exchange, attempt.tenant, end);
    return refusalAnswer(end, {
      payloadHash,
      errors: facts.schema.errors,
      ...(members === undefined ? {} : { members }),
    });
  }

  /** Review mode never waits and never blocks; what could not be recorded is a gap in the tenant's log. */
  #review(exchange: Exchange, attempt: ChangeAttempt): Promise<GatewayAnswer> {
    const { publisher, edge, reviewGaps, meter, limits } = this.#parts;
    meter.decided('review');
    void publisher.publish(attempt.change, limits.holdMs).then((fate) => {
      if (fate === 'stored') return;
      edge.count('CLY_REVIEW_UNRECORDED');
      reviewGaps.unrecorded(attempt.change);
    });
    return this.#forwarder.forward({ exchange, attempt, receipt: undefined });
  }

  /** Waits until the directory has another policy than the one that was refused, or the deadline comes. */
  async #policyAfter({ tenant }: ChangeAttempt, deadlineAtMs: number): Promise<void> {
    const { directory, clock } = this.#parts;
    await directoryWhen(
      { directory, clock, deadlineMs: deadlineAtMs - clock.nowMs() },
      () => directory.get(tenant.tenant)?.policy.digest !== tenant.policy.digest,
    );
  }

  /** Refused before it became a change: counted, and in nobody's log. */
  #refuse(code: string): GatewayAnswer {
    this.#parts.edge.count(code);
    this.#parts.meter.refused(code);
    return problemAnswer({ code });
  }
}

function isMoved(receipt: DecidedBody): boolean {
  return receipt.decision === 'block' && receipt.reasons.some((reason) => reason.code === 'CLY_POLICY_MOVED');
}

/** What says that the same was requested before: no mode lets that through a second time. */
const REPETITION = /^CLY_(?:CHANGE_CONFLICT|CHANGE_ABANDONED|AUTH_REPLAYED)$/;

/** An intent of a route in review mode goes on whatever the receipt would have decided. */
function isOnlyReviewed(exchange: Exchange, { mode, reasons }: DecidedBody): boolean {
  if (exchange.request.intent === undefined || mode !== 'review' || !isIntact(exchange)) return false;
  return !reasons.some(({ code }) => REPETITION.test(code));
}

/** Only bytes that are whole and are those that the caller signed may be passed on. */
function isIntact({ caller, body }: { readonly caller: Caller; readonly body: ReceivedBody }): boolean {
  return !body.tooLarge && (body.size === 0 ? caller.claimedDigest === null : caller.claimedDigest === body.digest);
}
