// SPDX-License-Identifier: Apache-2.0
import { OPERATIONS, type Operation } from '../change/operation.ts';
import { readAdapter } from './adapters.ts';
import { type Effects, GRANTS_UPSTREAM, type Mode, type Route } from './policy.ts';
import type { PolicyCursor } from './policy-cursor.ts';
import { readBodyRule, readResponseRule } from './read-bodies.ts';
import { ROUTE_TEMPLATE, templatesOverlap } from './route-template.ts';

export const ID_RULE = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/,
  what: 'an id (letters, digits and ._:@/- up to 128)',
};
export const RELATION_RULE = {
  pattern: /^[A-Za-z_][A-Za-z0-9_$]{0,62}\.[A-Za-z_][A-Za-z0-9_$]{0,62}$/,
  what: 'a relation as schema.table',
};
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
/** A grant stands in a receipt, and the receipt in a journal line beside its change: 65,535 bytes all in all. */
const RELATIONS_MAX = 128;
export const MODES: readonly Mode[] = ['gate', 'review'];
const UPSTREAM_RULE = { pattern: /^[a-z0-9][a-z0-9-]{0,62}$/, what: 'the name of an upstream' };
const MEMBERS_RULE = {
  pattern: /^(?:\/(?:[^~/]|~[01]){1,128}){1,8}$/,
  what: 'a pointer to the members of the change set, such as /members',
};
const TEMPLATE_RULE = {
  pattern: ROUTE_TEMPLATE,
  what: 'a path such as /v1/refunds/{id}: no %, no empty or dot segment, no slash at the end',
};

export function readRoutes(policy: PolicyCursor, defaultMode: Mode, schemaIds: ReadonlySet<string>): Route[] {
  const cursors = policy.items('routes');
  const routes = cursors.map((cursor) => readRoute(cursor, defaultMode, schemaIds));
  for (let index = 0; index < routes.length; index += 1) {
    const route = routes[index] as Route;
    for (const earlier of routes.slice(0, index)) {
      if (route.id !== '' && earlier.id === route.id) cursors[index]?.member('id').report('another route has this id');
      if (route.path !== '' && earlier.path !== '' && templatesOverlap(earlier, route)) {
        cursors[index]?.member('path').report(`ambiguous: some requests match route ${earlier.id} too`);
      }
    }
  }
  return routes;
}

function readRoute(route: PolicyCursor, defaultMode: Mode, schemaIds: ReadonlySet<string>): Route {
  route.objectOf([
    'id',
    'method',
    'path',
    'upstream',
    'mode',
    'schema',
    'body',
    'response',
    'adapter',
    'batch',
    'effects',
  ]);
  const schema = route.textOrNull('schema', ID_RULE);
  if (schema !== null && !schemaIds.has(schema)) route.member('schema').report('no schema has this id');
  const body = readBodyRule(route, schemaIds);
  const response = readResponseRule(route, schemaIds);
  const effects = readEffects(route.member('effects'));
  const mode = route.oneOf('mode', MODES, defaultMode);
  const upstream = route.text('upstream', UPSTREAM_RULE);
  if (upstream === GRANTS_UPSTREAM && (effects === null || mode !== 'gate')) {
    route.member('upstream').report('grants are what a route in mode gate with effects answers');
  }
  const method = route.oneOf('method', METHODS);
  return {
    id: route.text('id', ID_RULE),
    method,
    path: route.text('path', TEMPLATE_RULE),
    upstream,
    mode,
    schema,
    // Left out where nothing is said, so that policies from before these members keep their digests.
    ...(body === undefined ? {} : { body }),
    ...(response === undefined ? {} : { response }),
    ...readAdapter(route, body === undefined ? { method } : { method, body }),
    effects,
  };
}

function readEffects(effects: PolicyCursor): Effects | null {
  if (effects.isAbsent()) return null;
  if (!effects.objectOf(['source_id', 'relations', 'operations', 'rows_max', 'ttl_seconds', 'members'])) return null;
  const members = effects.textOrNull('members', MEMBERS_RULE);
  const operations = effects.texts('operations', {
    pattern: /^(?:insert|update|delete|truncate|ddl)$/,
    what: OPERATIONS.join(', '),
  });
  const relations = effects.texts('relations', RELATION_RULE);
  if (relations.length > RELATIONS_MAX) {
    effects.member('relations').report(`at most ${RELATIONS_MAX} relations fit into a grant`);
  }
  return {
    source_id: effects.text('source_id', ID_RULE),
    relations,
    operations: operations as Operation[],
    rows_max: effects.integer('rows_max', { min: 0, max: 1_000_000_000, fallback: 1 }),
    ttl_seconds: effects.integer('ttl_seconds', { min: 1, max: 86_400, fallback: 60 }),
    ...(members === null ? {} : { members }),
  };
}
