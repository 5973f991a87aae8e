// SPDX-License-Identifier: Apache-2.0

import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { ID, UUID } from '@clyra/core/change/shape';
import { authenticateWithRefresh, type Caller } from '../gateway/authenticate.ts';
import { namingFault } from '../gateway/caller-names.ts';
import type { GatewayAnswer, GatewayRequest } from '../gateway/gateway-request.ts';
import { problemAnswer } from '../gateway/problem-answer.ts';
import { shapeFault } from '../gateway/request-shape.ts';
import { mintEventId } from '../log/event-id.ts';
import { blockedAnswer, errorAnswer, jsonAnswer, receiptAnswer } from './api-answer.ts';
import type { ApiParts } from './api-parts.ts';
import { awaitDecision } from './await-decision.ts';
import { readRunRequest } from './run-request.ts';

/** A request to the API: its body is read already. */
export type ApiRequest = Pick<GatewayRequest, 'method' | 'target' | 'headers'> & { readonly body: Uint8Array };

/** What callers may ask of intake with the same HMAC as for a change: open and close runs, look after their changes. */
export class CallerDesk {
  readonly #parts: ApiParts;
  readonly #newId: () => string;

  constructor(parts: ApiParts, random: { bytes(size: number): Uint8Array }) {
    this.#parts = parts;
    this.#newId = () => mintEventId(parts.clock.nowMs(), random);
  }

  /** POST /v1/runs with {"run_id"?: id, "actor"?: the one of the header, "correlation"?: names in partners' logs}. */
  async openRun(request: ApiRequest): Promise<GatewayAnswer> {
    const caller = await this.#authenticate(request);
    if ('status' in caller) return caller;
    try {
      const { runId = this.#newId(), correlation } = readRunRequest(request.body, caller.actor, 'run.opened');
      const more = correlation === undefined ? {} : { correlation };
      return await this.#writeRun(caller, 'run.opened', { run_id: runId, ...more });
    } catch (error) {
      return errorAnswer(error);
    }
  }

  /** POST /v1/runs/:id/close */
  async closeRun(request: ApiRequest, runId: string): Promise<GatewayAnswer> {
    const caller = await this.#authenticate(request);
    if ('status' in caller) return caller;
    if (!ID.test(runId)) return problemAnswer({ code: 'CLY_RUN_UNKNOWN' });
    try {
      readRunRequest(request.body, caller.actor, 'run.closed');
      return await this.#writeRun(caller, 'run.closed', { run_id: runId });
    } catch (error) {
      return errorAnswer(error);
    }
  }

  /** GET /v1/changes/:eventId */
  async findChange(request: ApiRequest, eventId: string): Promise<GatewayAnswer> {
    const caller = await this.#authenticate(request);
    if ('status' in caller) return caller;
    const { tenant } = caller.credential;
    const { index, desk, clock } = this.#parts;
    const found = UUID.test(eventId) ? index.find(eventId, clock.nowMs()) : 'unknown_id';
    if (typeof found === 'object' && found.change.tenant === tenant) {
      const { state, receiptId, partition, offset, decidedAtMs, codes } = found.change;
      const place = { receipt_id: receiptId, partition, offset, decided_at: decidedAtMs };
      const receipt = index.receiptOf(eventId);
      const known = { event_id: eventId, tenant, state, ...place, codes };
      return jsonAnswer(200, receipt === undefined ? known : { ...known, receipt: parseRecord(receipt.body) });
    }
    if (desk.isAwaited(eventId, tenant)) return jsonAnswer(200, { event_id: eventId, tenant, state: 'requested' });
    const detail = 'Changes older than 24 hours are found in the bundle of their day.';
    if (found === 'too_old') return problemAnswer({ code: 'CLY_CHANGE_GONE', detail });
    return problemAnswer({ code: 'CLY_CHANGE_NOT_FOUND' });
  }

  async #writeRun(
    caller: Caller,
    kind: 'run.opened' | 'run.closed',
    run: JsonObject & { readonly run_id: string },
  ): Promise<GatewayAnswer> {
    const tenant = this.#parts.directory.get(caller.credential.tenant);
    if (tenant === undefined) return problemAnswer({ code: 'CLY_TENANT_UNKNOWN' });
    const members = { ...run, actor: caller.actor, principal: caller.credential.id };
    const change = this.#parts.writer.write({ partition: tenant.partition, tenant: tenant.tenant, kind, members });
    const receipt = await awaitDecision(this.#parts, change, (read) => this.#parts.directory.isSigned(tenant, read));
    if (receipt.decision !== 'allow') return blockedAnswer(receipt);
    const count = receipt.count === undefined ? {} : { count: receipt.count };
    return receiptAnswer(kind === 'run.opened' ? 201 : 200, receipt, { run_id: run.run_id, ...count });
  }

  async #authenticate(request: ApiRequest): Promise<Caller | GatewayAnswer> {
    const code = shapeFault(request) ?? (await this.#callerFault(request));
    if (typeof code === 'object') return code;
    this.#parts.edge.count(code);
    return problemAnswer({ code });
  }

  async #callerFault(request: ApiRequest): Promise<Caller | string> {
    const caller = await authenticateWithRefresh(request, this.#parts.credentials, this.#parts.clock);
    if (typeof caller === 'string') return caller;
    if (request.body.length > 0 && caller.claimedDigest !== digestOf(request.body)) return 'CLY_BODY_DIGEST_MISMATCH';
    const unnamed = namingFault(caller, []);
    if (unnamed !== undefined) return unnamed;
    const { tenant, actors } = caller.credential;
    if (caller.tenant !== tenant) return 'CLY_FENCE_TENANT';
    return actors.includes('*') || actors.includes(caller.actor) ? caller : 'CLY_FENCE_ACTOR';
  }
}
