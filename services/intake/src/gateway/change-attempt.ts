// SPDX-License-Identifier: Apache-2.0
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { Facts } from '@clyra/core/change/change-body';
import type { ExternalFact } from '@clyra/core/change/detector-fact';
import type { PromptMemory } from '@clyra/core/detectors/prompt-delta';
import type { DeliverySource } from '@clyra/core/inspection/activation/delivery-source';
import type { ReceivedBody } from '@clyra/core/inspection/check-body';
import { type Analysers, inspectRequest } from '@clyra/core/inspection/inspect-request';
import type { Repaired } from '@clyra/core/inspection/repair/repair-body';
import type { Route } from '@clyra/core/policy/policy';
import type { Random } from '@clyra/core/ports/random';
import type { StreamedBody } from '../bodies/body-intake.ts';
import type { ChangeWriter, OutgoingChange } from '../log/change-writer.ts';
import type { TenantState } from '../tenants/tenant-directory.ts';
import type { CallLog } from '../voice/call-log.ts';
import type { Caller } from './authenticate.ts';
import type { GatewayRequest } from './gateway-request.ts';

/** An authenticated request with its body, on its way to a decision. */
export type Exchange = {
  readonly request: GatewayRequest;
  readonly caller: Caller;
  readonly body: ReceivedBody;
  /** What detectors outside said; absent where none was asked. */
  readonly externals?: readonly ExternalFact[];
  /** What was found in a body that was never whole, and where it waits. */
  readonly streamed?: StreamedBody;
  /** Present where a vendor delivered it. */
  readonly delivery?: { readonly source: DeliverySource; readonly fault: string | null };
};

/** One inspection of an exchange: the change that was written for it. */
export type ChangeAttempt = {
  readonly tenant: TenantState;
  readonly facts: Facts;
  readonly route: Route | null;
  readonly change: OutgoingChange;
  /** 128 bits as hex; only its hash is in the change. */
  readonly executionToken: string;
  /** What is forwarded instead of the body that was received. */
  readonly repaired?: Repaired;
};

const TENANT_KEYS_MAX = 10_000;
/** Runs whose last prompt is remembered; one takes at most some 10 KB. */
const PROMPT_RUNS_MAX = 1_000;

export type AttemptParts = {
  readonly writer: ChangeWriter;
  readonly random: Random;
  readonly fingerprintSecret: Uint8Array;
  readonly analysers?: Analysers;
  readonly calls?: CallLog;
};

/** Turns exchanges into changes. */
export class ChangeInspector {
  readonly #parts: AttemptParts;
  readonly #tenantKeys = new Map<string, KeyObject>();
  readonly #prompts = new Map<string, PromptMemory>();

  constructor(parts: AttemptParts) {
    this.#parts = parts;
  }

  inspect(
    { request, caller, body, externals, streamed, delivery }: Exchange,
    tenant: TenantState,
    supersedes?: string,
  ): ChangeAttempt {
    const { headers, method, target } = request;
    const executionToken = Buffer.from(this.#parts.random.bytes(16)).toString('hex');
    const run = caller.runId === null ? null : `${tenant.tenant}\n${caller.runId}`;
    const { facts, route, promptMemory, repaired } = inspectRequest({
      method,
      target,
      contentType: headers.one('content-type') ?? null,
      contentEncoding: headers.one('content-encoding') ?? null,
      idempotencyKeys: caller.idempotencyKeys,
      claimedDigest: caller.claimedDigest,
      body,
      credential: caller.credential,
      tenant: caller.tenant,
      actor: caller.actor,
      ...(caller.claimed === undefined ? {} : { claimed: caller.claimed }),
      ...(delivery === undefined ? {} : { delivery: { kind: delivery.source.kind, fault: delivery.fault } }),
      nonce: caller.nonce,
      fingerprintKey: this.#tenantKey(tenant.tenant),
      executionToken,
      policy: tenant.policy,
      headers: (name) => headers.all(name),
      ...(streamed === undefined ? {} : { streamed: streamed.finding }),
      ...(this.#parts.analysers === undefined ? {} : { analysers: this.#parts.analysers }),
      ...(this.#parts.calls === undefined ? {} : { calls: this.#parts.calls.of(tenant.tenant) }),
      previousPrompt: run === null ? null : (this.#prompts.get(run) ?? null),
    });
    if (run !== null && promptMemory !== undefined) this.#remember(run, promptMemory);
    const asked = externals === undefined || externals.length === 0 ? {} : { external_detectors: externals };
    const all: Facts = { ...facts, ...asked };
    const change = this.#parts.writer.write({
      partition: tenant.partition,
      tenant: tenant.tenant,
      kind: 'change.requested',
      ...eventIdFor(request, supersedes),
      members: {
        facts: all as unknown as JsonObject,
        ...(caller.runId === null ? {} : { run_id: caller.runId }),
        ...(supersedes === undefined ? {} : { supersedes }),
      },
    });
    const attempt: ChangeAttempt = { tenant, facts: all, route, change, executionToken };
    return repaired === undefined ? attempt : { ...attempt, repaired };
  }

  /** Only a hint for people: an intake that starts anew begins again, and says so by counting everything as added. */
  #remember(run: string, memory: PromptMemory): void {
    this.#prompts.delete(run);
    if (this.#prompts.size >= PROMPT_RUNS_MAX) this.#prompts.delete(this.#prompts.keys().next().value as string);
    this.#prompts.set(run, memory);
  }

  #tenantKey(tenant: string): KeyObject {
    const known = this.#tenantKeys.get(tenant);
    if (known !== undefined) return known;
    const { fingerprintSecret } = this.#parts;
    const key = createSecretKey(
      createHmac('sha256', fingerprintSecret).update(`clyra/fingerprint/v0\n${tenant}`).digest(),
    );
    if (this.#tenantKeys.size >= TENANT_KEYS_MAX) this.#tenantKeys.clear();
    this.#tenantKeys.set(tenant, key);
    return key;
  }
}

/** An intent brings its event ids along. */
function eventIdFor({ intent }: GatewayRequest, supersedes: string | undefined): { readonly eventId?: string } {
  return intent === undefined ? {} : { eventId: intent.eventIds[supersedes === undefined ? 0 : 1] };
}
