// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { payloadHash } from '@clyra/core/enforcement/approvals/pending-approval';
import type { ServiceOptions } from '@clyra/runtime/service-shell';
import { errorAnswer, jsonAnswer } from '../api/api-answer.ts';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';
import { factsOf, type ViewParts } from './change-view.ts';
import type { HeldChange } from './held-index.ts';

type Scope = Parameters<NonNullable<ServiceOptions['routes']>>[0];
type Parts = Omit<ViewParts, 'shelf'>;

/** What waits, for operators and scripts: on the API's listener, as `GET /v1/tenants/:tenant` is. No payload is in it. */
export function registerApprovalRoutes(scope: Scope, parts: () => Parts): void {
  const add = (
    url: string,
    handler: (names: { name: string; of: string }) => GatewayAnswer | Promise<GatewayAnswer>,
  ) => {
    scope.route({
      method: 'GET',
      url,
      handler: async (request, reply) => {
        const { status, headers, body } = await handler(request.params as { name: string; of: string });
        return reply
          .code(status)
          .headers(headers as Record<string, string>)
          .send(body);
      },
    });
  };
  add('/v1/tenants/:name/approvals', ({ name }) => {
    const { index, clock } = parts();
    return jsonAnswer(200, { tenant: name, held: index.list([name], clock.nowMs()).map(heldMembers) });
  });
  add('/v1/tenants/:name/approvals/:of', ({ name, of }) => approvalAnswer(parts(), name, of));
  add('/v1/tenants/:name/emergencies', ({ name }) => {
    const { index, clock } = parts();
    const emergencies = index.emergencies([name]).map(({ approvalId, of, ticket, by, reviewByMs }) => {
      return { approval_id: approvalId, of, ticket, by, review_by: reviewByMs, overdue: reviewByMs <= clock.nowMs() };
    });
    return jsonAnswer(200, { tenant: name, emergencies });
  });
}

/** With everything that a certificate must name. */
export async function approvalAnswer(parts: Parts, tenant: string, of: string): Promise<GatewayAnswer> {
  try {
    const { held, facts } = await factsOf(parts, tenant, of);
    const bound = { method: facts.method, target_digest: facts.target_digest, payload_hash: payloadHash(facts) };
    return jsonAnswer(200, { tenant, ...heldMembers(held), ...bound });
  } catch (error) {
    return errorAnswer(error);
  }
}

function heldMembers(held: HeldChange): JsonObject {
  return {
    of: held.of,
    route: held.route,
    requester: held.actor,
    payload_hash: held.payloadHash,
    held_at: held.heldAtMs,
    expires_at: held.expiresAtMs,
    need: held.need,
    grade_min: held.gradeMin,
    reasons: held.reasons.map(({ code, rule }) => ({ code, rule })),
    approvals: held.approvals.map(({ id, approver, proof, givenAtMs, expiresAtMs }) => {
      return { approval_id: id, approver, proof, given_at: givenAtMs, expires_at: expiresAtMs };
    }),
  };
}
