// SPDX-License-Identifier: Apache-2.0

import type { ResponseFact } from '@clyra/core/change/change-body';
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import { formatContentDigest } from '@clyra/core/inspection/content-digest';
import { checkWholeResponse, demandOf, type ResponseDemand } from '@clyra/core/inspection/response/response-watch';
import { GRANTS_UPSTREAM } from '@clyra/core/policy/policy';
import { deliveredHeaders, withoutProofs } from '../activation/delivery-headers.ts';
import { answerTimes, limitsOf, takeWhole, watchedAnswer } from '../bodies/watched-answer.ts';
import { grantHeader, grantsAnswer, type Minted, whyNotGranted } from '../grants/grants-to-hand-over.ts';
import type { OutcomeReport } from '../log/outcome-queue.ts';
import type { ChangeAttempt, Exchange } from './change-attempt.ts';
import { answerHeadersToForward, requestHeadersToForward } from './forwarded-headers.ts';
import type { GatewayParts } from './gateway-parts.ts';
import type { GatewayAnswer } from './gateway-request.ts';
import { problemAnswer, rateLimitHeaders } from './problem-answer.ts';
import type { UpstreamRequest, UpstreamResult } from './upstream.ts';

type Parts = Pick<GatewayParts, 'directory' | 'outcomes' | 'upstream' | 'clock' | 'kept' | 'grantMint' | 'activation'>;
type Answered = Extract<UpstreamResult, { readonly kind: 'answered' }>;

const ANSWERED = 'The request was forwarded and answered, but the answer is not what the policy lets pass.';

/** What is forwarded: the receipt is absent in review mode, which does not wait for it. */
export type Forwarding = {
  readonly exchange: Exchange;
  readonly attempt: ChangeAttempt;
  readonly receipt: DecidedBody | undefined;
};

/** Brings an allowed change to its upstream and reports what came of it. */
export class Forwarder {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async forward(forwarding: Forwarding): Promise<GatewayAnswer> {
    const { exchange, attempt, receipt } = forwarding;
    const { request, caller } = exchange;
    const upstreamName = attempt.route?.upstream ?? '';
    const stop = this.#stopBefore(forwarding, upstreamName);
    if (stop !== undefined) return stop;
    const notKept = receipt === undefined ? undefined : await this.#parts.kept?.keep(exchange, attempt);
    if (notKept !== undefined) return this.#giveBack(attempt, receipt, { code: notKept, detail: 'body_not_kept' });
    const made = receipt === undefined ? undefined : this.#parts.grantMint?.mint(attempt, receipt);
    const notGranted = whyNotGranted(made, upstreamName);
    if (notGranted !== undefined) return this.#giveBack(attempt, receipt, notGranted);
    const minted = made?.minted ?? [];
    if (receipt !== undefined && upstreamName === GRANTS_UPSTREAM) return this.#handOver(attempt, receipt, minted);
    const { change, executionToken } = attempt;
    const result = await this.#parts.upstream.forward(upstreamName, {
      method: request.method,
      target: request.target,
      headers: requestHeadersToForward(withoutProofs(exchange), {
        ...this.#parts.activation?.headersFor(upstreamName),
        ...deliveredHeaders(exchange),
        'x-tenant-id': caller.credential.tenant,
        'clyra-event-id': change.eventId,
        'clyra-execution-token': executionToken,
        ...decisionHeaders(receipt),
        ...grantHeader(minted),
        ...repairedHeaders(attempt),
      }),
      body: bodyToForward(exchange, attempt),
      ...answerTimes(attempt.route?.response),
    });
    const demand = result.kind === 'answered' ? this.#demandOf(attempt, result) : undefined;
    if (result.kind !== 'answered' || demand === undefined) {
      this.#report(attempt, result);
      return answerOf(result, forwarding);
    }
    const checked = 'whole' in demand ? await this.#checkWhole(attempt, result, demand.whole.schemaId) : undefined;
    if (checked === undefined) return answerOf(this.#watched(attempt, result, demand), forwarding);
    return typeof checked === 'string'
      ? problemAnswer({ code: checked, detail: ANSWERED, eventId: change.eventId, receiptId: receipt?.receipt_id })
      : answerOf({ ...result, body: checked }, forwarding);
  }

  /** What the caller does with its grants, the databases' own logs will say: to intake the change is done. */
  #handOver(attempt: ChangeAttempt, receipt: DecidedBody, minted: readonly Minted[]): GatewayAnswer {
    const { partition, tenant, eventId } = attempt.change;
    const outcome = { outcome: 'done', upstreamStatus: 200, detail: 'grants_issued' } as const;
    this.#parts.outcomes.report({ partition, tenant, of: eventId, ...outcome });
    return grantsAnswer(receipt, minted);
  }

  #demandOf({ route, tenant }: ChangeAttempt, { status, headers }: Answered): ResponseDemand | undefined {
    const contentType = headers['content-type'];
    const head = { status, contentType: typeof contentType === 'string' ? contentType : null };
    return demandOf(tenant.policy, route?.response, head);
  }

  /** The answer's bytes, or the code of why the caller does not get them; either is recorded. */
  async #checkWhole(attempt: ChangeAttempt, result: Answered, schemaId: string): Promise<Uint8Array | string> {
    const report = (response: ResponseFact): void => this.#report(attempt, result, response);
    return takeWhole(result.body, {
      limits: limitsOf(attempt.route?.response),
      clock: this.#parts.clock,
      check: (bytes) => checkWholeResponse(attempt.tenant.policy.schemas, schemaId, bytes),
      report,
    });
  }

  #watched(attempt: ChangeAttempt, result: Answered, demand: ResponseDemand): Answered {
    if (!('watch' in demand)) return result;
    const watched = watchedAnswer(result.body, {
      watch: demand.watch,
      limits: limitsOf(attempt.route?.response),
      clock: this.#parts.clock,
      report: (response) => this.#report(attempt, result, response),
    });
    return { ...result, body: watched };
  }

  /** The change was allowed a moment ago; a switch engaged since then, or a caller that left, still stops it. */
  #stopBefore({ exchange, attempt, receipt }: Forwarding, upstreamName: string): GatewayAnswer | undefined {
    const { directory, upstream } = this.#parts;
    const { tenant, route } = attempt;
    const actor = receipt?.actor ?? exchange.caller.actor;
    const scope =
      receipt === undefined ? undefined : directory.engagedSwitch(tenant.tenant, { route: route?.id ?? null, actor });
    if (scope !== undefined)
      return this.#giveBack(attempt, receipt, { code: 'CLY_KILL_SWITCH', detail: 'kill_switch' });
    if (exchange.request.client.isGone()) {
      return this.#giveBack(attempt, receipt, { code: 'CLY_INTAKE_CLIENT_GONE', detail: 'client_gone' });
    }
    if (upstream.has(upstreamName) || (upstreamName === GRANTS_UPSTREAM && receipt !== undefined)) return undefined;
    return this.#giveBack(attempt, receipt, { code: 'CLY_UPSTREAM_NOT_LISTED', detail: 'upstream_not_listed' });
  }

  #giveBack(
    attempt: ChangeAttempt,
    receipt: DecidedBody | undefined,
    why: { readonly code: string; readonly detail: string },
  ): GatewayAnswer {
    const { partition, tenant, eventId } = attempt.change;
    this.#parts.outcomes.report({ partition, tenant, of: eventId, outcome: 'not_forwarded', detail: why.detail });
    return problemAnswer({ code: why.code, detail: 'Nothing was forwarded.', eventId, receiptId: receipt?.receipt_id });
  }

  #report({ change }: ChangeAttempt, result: UpstreamResult, response?: ResponseFact): void {
    const { partition, tenant, eventId } = change;
    const answer = response === undefined ? {} : { response };
    this.#parts.outcomes.report({ partition, tenant, of: eventId, ...outcomeOf(result), ...answer });
  }
}

function bodyToForward({ body, streamed }: Exchange, { repaired }: ChangeAttempt): UpstreamRequest['body'] {
  if (streamed !== undefined) return { size: body.size, chunks: () => streamed.spooled.read() };
  return repaired?.bytes ?? body.bytes;
}

/** An upstream that takes its time from the decision does the same again when the change is repeated. */
function decisionHeaders(receipt: DecidedBody | undefined): Record<string, string> {
  if (receipt === undefined) return {};
  return { 'clyra-receipt': receipt.receipt_id, 'clyra-decided-at': String(receipt.decided_at) };
}

/** The caller's digest is that of what it sent. */
function repairedHeaders({ repaired }: ChangeAttempt): Record<string, string> {
  return repaired === undefined ? {} : { 'content-digest': formatContentDigest(repaired.fact.repaired_digest) };
}

function outcomeOf(result: UpstreamResult): Pick<OutcomeReport, 'outcome' | 'upstreamStatus' | 'detail'> {
  switch (result.kind) {
    case 'answered':
      return { outcome: result.status < 400 ? 'done' : 'failed', upstreamStatus: result.status };
    case 'not_sent':
      return { outcome: 'not_forwarded', detail: result.detail };
    case 'failed':
      return { outcome: 'failed', detail: result.detail };
  }
}

function answerOf(result: UpstreamResult, { attempt, receipt }: Forwarding): GatewayAnswer {
  const { eventId } = attempt.change;
  if (result.kind === 'answered') {
    return {
      status: result.status,
      headers: {
        ...answerHeadersToForward(result.headers),
        'clyra-event-id': eventId,
        ...(receipt === undefined ? {} : { 'clyra-receipt': receipt.receipt_id }),
        ...rateLimitHeaders(receipt?.velocity ?? []),
      },
      body: result.body,
    };
  }
  const receiptId = receipt?.receipt_id;
  if (result.kind === 'not_sent') {
    return problemAnswer({ code: 'CLY_UPSTREAM_UNREACHABLE', detail: 'Nothing was forwarded.', eventId, receiptId });
  }
  const code = result.timedOut ? 'CLY_UPSTREAM_TIMEOUT' : 'CLY_UPSTREAM_FAILED';
  const detail = 'The request was forwarded; what came of it is not known here. Ask the upstream before repeating it.';
  return problemAnswer({ code, detail, eventId, receiptId });
}
