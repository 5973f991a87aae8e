// SPDX-License-Identifier: Apache-2.0

import type { ServiceOptions } from '@clyra/runtime/service-shell';
import type { ApiRequest } from '../api/caller-desk.ts';
import { COMMAND_BYTES_MAX } from '../api/command-request.ts';
import { RUN_BYTES_MAX } from '../api/run-request.ts';
import { tenantAnswer } from '../api/tenant-desk.ts';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';
import { RequestHeaders } from '../gateway/request-headers.ts';
import type { IntakeProcessor } from '../intake.processor.ts';

type Scope = Parameters<NonNullable<ServiceOptions['routes']>>[0];
type Handler = (request: ApiRequest, parameter: string) => GatewayAnswer | Promise<GatewayAnswer>;
type RouteRequest = {
  readonly raw: { method?: string | undefined; url?: string | undefined; rawHeaders: string[] };
  body: unknown;
  params: unknown;
};

const COMMANDS = '/v1/commands';

/** The API's routes in the service's own scope; bodies arrive as the bytes that were sent. */
export function registerApiRoutes(scope: Scope, processor: () => IntakeProcessor): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  const add = (method: 'GET' | 'POST', url: string, handler: Handler): void => {
    scope.route({
      method,
      url,
      bodyLimit: url === COMMANDS ? COMMAND_BYTES_MAX : RUN_BYTES_MAX,
      handler: async (request, reply) => {
        const { status, headers, body } = await handler(apiRequestOf(request), parameterOf(request));
        return reply
          .code(status)
          .headers(headers as Record<string, string>)
          .send(body);
      },
    });
  };
  add('POST', COMMANDS, ({ body }) => processor().commands.submit(body));
  add('POST', '/v1/runs', (request) => processor().callers.openRun(request));
  add('POST', '/v1/runs/:name/close', (request, runId) => processor().callers.closeRun(request, runId));
  add('GET', '/v1/changes/:name', (request, eventId) => processor().callers.findChange(request, eventId));
  add('GET', '/v1/tenants/:name', (_request, tenant) => tenantAnswer(processor().api, tenant));
}

function apiRequestOf({ raw, body }: RouteRequest): ApiRequest {
  return {
    method: raw.method ?? '',
    target: raw.url ?? '',
    headers: new RequestHeaders(raw.rawHeaders),
    body: body instanceof Uint8Array ? body : new Uint8Array(),
  };
}

function parameterOf({ params }: RouteRequest): string {
  return (params as { readonly name?: string }).name ?? '';
}
