// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import type { MetricsRegistry } from './metrics/metrics-registry.ts';
import type { Readiness } from './readiness.ts';

export type HealthOptions = {
  readonly name: string;
  readonly readiness: Readiness;
  readonly metrics: MetricsRegistry;
};

/**
 * `/healthz`: the process answers. `/readyz`: 200, or 503 with the reasons. `/metrics`: Prometheus text.
 * They stand outside the service's own scope, so no authentication, hook or parser of it reaches them.
 */
export function registerHealthRoutes(fastify: FastifyInstance, { name, readiness, metrics }: HealthOptions): void {
  fastify.get('/healthz', async () => ({ service: name, status: 'alive' }));
  fastify.get('/readyz', async (_request, reply) => {
    const { ready } = readiness;
    return reply.code(ready ? 200 : 503).send({ service: name, ready, reasons: readiness.reasons() });
  });
  fastify.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(metrics.text()));
}

/** Until the start has ended, and from the stop on, a service route answers 503: fail closed, never half started. */
export function refuseUntilReady(scope: FastifyInstance, readiness: Readiness): void {
  scope.addHook('onRequest', async (_request, reply) => {
    const reason = readiness.reasonOf('stop') ?? readiness.reasonOf('start');
    if (reason === undefined) return;
    return reply
      .code(503)
      .header('retry-after', '1')
      .type('application/problem+json')
      .send({
        type: 'about:blank',
        title: 'Service not ready',
        status: 503,
        code: 'CLY_SERVICE_NOT_READY',
        detail: `${reason}; ask /readyz for what it waits for, then repeat the request`,
      });
  });
}
