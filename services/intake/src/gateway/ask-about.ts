// SPDX-License-Identifier: Apache-2.0
import type { ExternalFact } from '@clyra/core/change/detector-fact';
import { checkBody } from '@clyra/core/inspection/check-body';
import { parseTarget } from '@clyra/core/inspection/request-target';
import type { ExternalDetectors } from '../external/external-detectors.ts';
import type { TenantState } from '../tenants/tenant-directory.ts';
import type { Exchange } from './change-attempt.ts';

type About = { readonly exchange: Exchange; readonly tenant: TenantState; readonly deadlineMs: number };

/** Asks the detectors of the exchange's route. Review mode never waits, so there nobody is asked and the facts say so. */
export async function askAbout(
  externals: ExternalDetectors,
  { exchange, tenant, deadlineMs }: About,
): Promise<ExternalFact[]> {
  const { request, caller, body } = exchange;
  const target = parseTarget(request.target);
  const route = target === undefined ? undefined : tenant.policy.routes.match(request.method, target.path);
  if (route === undefined) return [];
  const headers = {
    contentType: request.headers.one('content-type') ?? null,
    contentEncoding: request.headers.one('content-encoding') ?? null,
    claimedDigest: caller.claimedDigest,
  };
  const { value } = checkBody(body, headers, false);
  return externals.ask({
    policy: tenant.policy.policy,
    routeId: route.id,
    payloadDigest: body.digest,
    value,
    deadlineMs: route.mode === 'review' ? 0 : deadlineMs,
  });
}
