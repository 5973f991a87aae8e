// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import type { Registry } from './registry.ts';
import { refusals } from './registry-refusal.ts';
import type { RegistryState } from './registry-state.ts';
import { isSet } from './request-fields.ts';

type OfId = { Params: { id: string } };

/** `/schemas` of the Confluent API. */
export function schemaRoutes(server: FastifyInstance, { state }: Registry): void {
  server.get('/schemas/types', async () => ['AVRO']);
  server.get<OfId>('/schemas/ids/:id', async ({ params }) => ({ schema: schemaText(state, params.id) }));
  server.get<OfId>('/schemas/ids/:id/schema', async ({ params }, reply) => reply.send(schemaText(state, params.id)));
  server.get<OfId>('/schemas/ids/:id/versions', async ({ params, query }) => usesOf(state, params.id, query));
  server.get<OfId>('/schemas/ids/:id/subjects', async ({ params, query }) =>
    usesOf(state, params.id, query).map(({ subject }) => subject),
  );
}

function schemaText(state: RegistryState, id: string): string {
  const schema = state.schemaById(Number(id));
  if (schema === undefined) throw refusals.schemaNotFound(Number(id));
  return schema;
}

function usesOf(
  state: RegistryState,
  id: string,
  query: unknown,
): readonly { readonly subject: string; readonly version: number }[] {
  schemaText(state, id);
  const withDeleted = isSet(query, 'deleted');
  return state
    .subjects({ withDeleted })
    .flatMap((subject) => state.versionsOf(subject, { withDeleted }))
    .filter((version) => version.id === Number(id))
    .map(({ subject, version }) => ({ subject, version }));
}
