// SPDX-License-Identifier: Apache-2.0
import { COMPATIBILITY_LEVELS, type CompatibilityLevel } from '@clyra/adapter-avro/compatibility';
import type { FastifyInstance } from 'fastify';
import type { Registry } from './registry.ts';
import { REGISTRY_MODES, type RegistryMode } from './registry-records.ts';
import { refusals } from './registry-refusal.ts';
import { fieldsOf, isSet, upperCaseText } from './request-fields.ts';

type OfSubject = { Params: { subject: string } };

/** `/config` and `/mode` of the Confluent API, for all subjects and for one. */
export function settingRoutes(server: FastifyInstance, registry: Registry): void {
  levelRoutes(server, registry);
  modeRoutes(server, registry);
}

function levelRoutes(server: FastifyInstance, registry: Registry): void {
  const { state } = registry;
  server.get('/config', async () => ({ compatibilityLevel: state.globalLevel() }));
  server.put('/config', async ({ body }) => {
    const compatibility = levelFrom(body);
    await registry.setLevel(null, compatibility);
    return { compatibility };
  });
  server.delete('/config', async () => {
    const compatibilityLevel = state.globalLevel();
    await registry.setLevel(null, null);
    return { compatibilityLevel };
  });
  server.get<OfSubject>('/config/:subject', async ({ params: { subject }, query }) => {
    const own = state.ownLevel(subject) ?? (isSet(query, 'defaultToGlobal') ? state.globalLevel() : undefined);
    if (own === undefined) throw refusals.noSubjectConfig(subject);
    return { compatibilityLevel: own };
  });
  server.put<OfSubject>('/config/:subject', async ({ params: { subject }, body }) => {
    const compatibility = levelFrom(body);
    await registry.setLevel(subject, compatibility);
    return { compatibility };
  });
  server.delete<OfSubject>('/config/:subject', async ({ params: { subject } }) => {
    const own = state.ownLevel(subject);
    if (own === undefined) throw refusals.noSubjectConfig(subject);
    await registry.setLevel(subject, null);
    return { compatibilityLevel: own };
  });
}

function modeRoutes(server: FastifyInstance, registry: Registry): void {
  const { state } = registry;
  server.get('/mode', async () => ({ mode: state.globalMode() }));
  server.put('/mode', async ({ body }) => {
    const mode = modeFrom(body);
    await registry.setMode(null, mode);
    return { mode };
  });
  server.get<OfSubject>('/mode/:subject', async ({ params: { subject }, query }) => {
    const own = state.ownMode(subject) ?? (isSet(query, 'defaultToGlobal') ? state.globalMode() : undefined);
    if (own === undefined) throw refusals.noSubjectMode(subject);
    return { mode: own };
  });
  server.put<OfSubject>('/mode/:subject', async ({ params: { subject }, body }) => {
    const mode = modeFrom(body);
    await registry.setMode(subject, mode);
    return { mode };
  });
  server.delete<OfSubject>('/mode/:subject', async ({ params: { subject } }) => {
    const own = state.ownMode(subject);
    if (own === undefined) throw refusals.noSubjectMode(subject);
    await registry.setMode(subject, null);
    return { mode: own };
  });
}

function levelFrom(body: unknown): CompatibilityLevel {
  const wanted = upperCaseText(fieldsOf(body)['compatibility']);
  const level = COMPATIBILITY_LEVELS.find((known) => known === wanted);
  if (level === undefined) throw refusals.invalidCompatibility();
  return level;
}

function modeFrom(body: unknown): RegistryMode {
  const wanted = upperCaseText(fieldsOf(body)['mode']);
  const mode = REGISTRY_MODES.find((known) => known === wanted);
  if (mode === undefined) throw refusals.invalidMode();
  return mode;
}
