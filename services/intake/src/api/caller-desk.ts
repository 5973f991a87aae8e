// SPDX-License-Identifier: Apache-2.0

import { digestOf } from '@clyra/core/canonical/digest';
import { isJsonObject } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { parseRecord } from '@clyra/core/canonical/record';
import { ID, onlyMembers, readText, shapeError, UUID } from '@clyra/core/change/shape';
import { ClyraError } from '@clyra/core/kernel/error';
import { authenticateWithRefresh, type Caller } from '../gateway/authenticate.ts';
import { namingFault } from '../gateway/caller-names.ts';
import type { GatewayAnswer, GatewayRequest } from '../gateway/gateway-request.ts';
import { problemAnswer } from '../gateway/problem-answer.ts';
import { shapeFault } from '../gateway/request-shape.ts';
import { mintEventId } from '../log/event-id.ts';
import { blockedAnswer, errorAnswer, jsonAnswer, receiptAnswer } from './api-answer.ts';
import type { ApiParts } from './api-parts.ts';
import { awaitDecision } from './await-decision.ts';

/** A request to the API: its body is read already. */
export type ApiRequest = Pick<GatewayRequest, 'method' | 'target' | 'headers'> & { readonly body: Uint8Array };

const RUN_BODY_LIMITS = { bytesMax: 4_096, depthMax: 2, valuesMax: 8 };

/** What callers may ask of intake with the same HMAC as for a change: open and close runs, look after their changes. */
export class CallerDesk {
  readonly #parts: ApiParts;
  readonly #newId: () => string;

  constructor(parts: ApiParts, random: { bytes(size: number): Uint8Array }) {
    this.#parts = parts;
    this.#newId = () => mintEventId(parts.clock.nowMs(), random);
  }

  /** POST /v1/runs with {"run_id"?: id, "actor"?: the one of the header}. */
  async openRun(request: ApiRequest): Promise<GatewayAnswer> {
    const caller = await this.#authenticate(request);
    if ('status' in caller) return caller;
    try {
      const run = readRun(request.body, caller);
      return await this.#writeRun(caller, 'run.opened', run ?? this.#newId());
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
      readRun(request.body, caller);
      return await this.#writeRun(caller, 'run.closed', runId);
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

  async #writeRun(caller: Caller, kind: 'run.opened' | 'run.closed', runId: string): Promise<GatewayAnswer> {
    const tenant = this.#parts.directory.get(caller.credential.tenant);
    if (tenant === undefined) return problemAnswer({ code: 'CLY_TENANT_UNKNOWN' });
    const members = { run_id: runId, actor: caller.actor, principal: caller.credential.id };
    const change = this.#parts.writer.write({ partition: tenant.partition, tenant: tenant.tenant, kind, members });
    const receipt = await awaitDecision(this.#parts, change, (read) => this.#parts.directory.isSigned(tenant, read));
    if (receipt.decision !== 'allow') return blockedAnswer(receipt);
    const count = receipt.count === undefined ? {} : { count: receipt.count };
    return receiptAnswer(kind === 'run.opened' ? 201 : 200, receipt, { run_id: runId, ...count });
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

/** The run id in the body, if any. Throws JsonError, CLY_RECORD_SHAPE, or CLY_FENCE_ACTOR for another actor. */
function readRun(body: Uint8Array, caller: Caller): string | undefined {
  if (body.length === 0) return undefined;
  const document = parseJson(body, RUN_BODY_LIMITS);
  if (!isJsonObject(document)) throw shapeError('write {"run_id": …} or nothing');
  onlyMembers(document, new Set(['run_id', 'actor']));
  if (document['actor'] !== undefined && document['actor'] !== caller.actor) {
    throw new ClyraError('CLY_FENCE_ACTOR', 'the body names another actor than the signed header', { retry: 'never' });
  }
  return document['run_id'] === undefined ? undefined : readText(document, 'run_id', ID);
}
