// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from './registry.ts';
import { RegistryRefusal, refusals } from './registry-refusal.ts';
import { schemaRoutes } from './schema-routes.ts';
import { settingRoutes } from './setting-routes.ts';
import { subjectRoutes } from './subject-routes.ts';

const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';
/** Never plain text: a form in any web page could send that to a port on localhost. */
const ACCEPTED_MEDIA_TYPES = /^application\/(json|vnd\.schemaregistry(\.v1)?\+json)\s*(;|$)/;
const BODY_BYTES_MAX = 1024 * 1024;
const SUBJECT_CHARS_MAX = 1_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** The HTTP door of the registry; the caller lets it listen. */
export function registryServer(registry: Registry): FastifyInstance {
  const server = fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: SUBJECT_CHARS_MAX },
    forceCloseConnections: true,
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(ACCEPTED_MEDIA_TYPES, { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(body.toString()));
    } catch {
      done(new RegistryRefusal(400, 'the body is not JSON'));
    }
  });
  server.addHook('onSend', async (_request, reply) => {
    reply.header('content-type', MEDIA_TYPE);
  });
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error_code: 404, message: 'HTTP 404 Not Found' }),
  );
  server.setErrorHandler((error, _request, reply) => {
    const refusal = refusalFrom(error);
    return reply.code(refusal.status).send({ error_code: refusal.errorCode, message: refusal.message });
  });
  server.get('/', async () => ({}));
  subjectRoutes(server, registry);
  schemaRoutes(server, registry);
  settingRoutes(server, registry);
  return server;
}

function refusalFrom(error: unknown): RegistryRefusal {
  if (error instanceof RegistryRefusal) return error;
  if (error instanceof ClyraError && error.code === 'CLY_REGISTRY_STORE') return refusals.storeFailed();
  // The framework's own refusals (body too large, media type) carry their status.
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  const message = status < 500 && error instanceof Error ? error.message : 'Internal error; see the registry log';
  return new RegistryRefusal(status, message);
}
