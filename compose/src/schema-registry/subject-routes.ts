// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import type { Registry } from './registry.ts';
import type { SchemaVersion } from './registry-records.ts';
import { isSet, schemaFrom } from './request-fields.ts';
import { findVersion, requireVersions } from './version-lookup.ts';

type OfSubject = { Params: { subject: string } };
type OfVersion = { Params: { subject: string; version: string } };

/** `/subjects` and `/compatibility` of the Confluent API. */
export function subjectRoutes(server: FastifyInstance, registry: Registry): void {
  const { state } = registry;

  server.get('/subjects', async ({ query }) => {
    const prefix = (query as { subjectPrefix?: string }).subjectPrefix ?? '';
    return state.subjects({ withDeleted: isSet(query, 'deleted') }).filter((name) => name.startsWith(prefix));
  });
  server.post<OfSubject>('/subjects/:subject', async ({ params, query, body }) =>
    answer(registry.lookUp(params.subject, schemaFrom(body), { withDeleted: isSet(query, 'deleted') })),
  );
  server.delete<OfSubject>('/subjects/:subject', ({ params, query }) =>
    registry.deleteSubject(params.subject, { permanent: isSet(query, 'permanent') }),
  );
  server.get<OfSubject>('/subjects/:subject/versions', async ({ params, query }) =>
    requireVersions(state, params.subject, { withDeleted: isSet(query, 'deleted') }).map(({ version }) => version),
  );
  server.post<OfSubject>('/subjects/:subject/versions', async ({ params, body }) => ({
    id: await registry.register(params.subject, schemaFrom(body)),
  }));
  server.get<OfVersion>('/subjects/:subject/versions/:version', async ({ params, query }) =>
    answer(findVersion(state, { ...params, withDeleted: isSet(query, 'deleted') })),
  );
  server.get<OfVersion>('/subjects/:subject/versions/:version/schema', async ({ params, query }) =>
    JSON.parse(findVersion(state, { ...params, withDeleted: isSet(query, 'deleted') }).schema),
  );
  server.get<OfVersion>('/subjects/:subject/versions/:version/referencedby', async ({ params }) => {
    findVersion(state, { ...params, withDeleted: false });
    return [];
  });
  server.delete<OfVersion>('/subjects/:subject/versions/:version', async ({ params, query }, reply) =>
    // A bare number is a JSON document too, but the framework would send it as a status.
    reply.send(
      JSON.stringify(
        await registry.deleteVersion(params.subject, params.version, { permanent: isSet(query, 'permanent') }),
      ),
    ),
  );
  server.post<OfVersion>('/compatibility/subjects/:subject/versions/:version', async ({ params, query, body }) =>
    verdict(registry.problems(params.subject, schemaFrom(body), params.version), isSet(query, 'verbose')),
  );
  server.post<OfSubject>('/compatibility/subjects/:subject/versions', async ({ params, query, body }) =>
    verdict(registry.problems(params.subject, schemaFrom(body), undefined), isSet(query, 'verbose')),
  );
}

function answer({ subject, version, id, schema }: SchemaVersion): object {
  return { subject, version, id, schema };
}

function verdict(problems: readonly string[], isVerbose: boolean): object {
  return { is_compatible: problems.length === 0, ...(isVerbose ? { messages: problems } : {}) };
}
