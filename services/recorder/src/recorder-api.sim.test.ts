// SPDX-License-Identifier: Apache-2.0

import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { describe, expect, it } from '@jest/globals';
import { horizonsOf } from './horizons.ts';
import { OPENAPI } from './openapi.ts';
import { RecorderWorld } from './test-support/recorder-world.ts';

/** What of a value is not as the schema says; OPENAPI uses no more of JSON Schema than this. */
function faultsOf(value: unknown, schema: JsonObject, at = '$'): readonly string[] {
  const types = [schema['type']].flat();
  if (value === null) return types.includes('null') ? [] : [`${at} is null`];
  if (types.includes('array')) {
    if (!Array.isArray(value)) return [`${at} is no list`];
    return value.flatMap((item, index) => faultsOf(item, schema['items'] as JsonObject, `${at}[${index}]`));
  }
  if (types.includes('object')) {
    const properties = (schema['properties'] ?? {}) as JsonObject;
    const names = Object.keys(value as object);
    const unlike = [...new Set([...names, ...(schema['required'] as string[])])].filter(
      (name) => !names.includes(name) || properties[name] === undefined,
    );
    if (unlike.length > 0) return unlike.map((name) => `${at}.${name}`);
    return names.flatMap((name) =>
      faultsOf((value as Record<string, unknown>)[name], properties[name] as JsonObject, `${at}.${name}`),
    );
  }
  const isRight = types.includes('integer') ? Number.isSafeInteger(value) : types.includes(typeof value);
  const isListed = schema['enum'] === undefined || (schema['enum'] as unknown[]).includes(value);
  return isRight && isListed ? [] : [`${at} is ${JSON.stringify(value)}`];
}

function faults(path: string, value: unknown): readonly string[] {
  const operation = ((OPENAPI['paths'] as JsonObject)[path] as JsonObject)['get'] as JsonObject;
  const answer = (operation['responses'] as JsonObject)['200'] as JsonObject;
  return faultsOf(value, ((answer['content'] as JsonObject)['application/json'] as JsonObject)['schema'] as JsonObject);
}

describe('the API of the recorder', () => {
  it('names a write beside the gateway within seconds, and answers as its description says', async () => {
    const world = await new RecorderWorld({ seed: 31 }).open();
    await world.register();
    const { processor } = world.start();
    await world.clock.advance(3_000);
    world.postgres.commit();
    world.postgres.commit(digestOf('a token that nobody gave'));
    const writtenAtMs = world.clock.nowMs();
    await world.clock.advance(4_000);
    const [found] = processor.findings();
    expect(found).toMatchObject({ tenant: 'acme', caught_up: true, counts: { unattributed: 1, claimed_unproved: 1 } });
    expect(found?.findings).toMatchObject([
      { status: 'claimed_unproved', relations: ['public.activations'] },
      { status: 'unattributed', reason: 'no_token', event_id: null },
    ]);
    const delaysMs = found?.findings.map(({ found_at }) => found_at - writtenAtMs) ?? [];
    expect(Math.max(...delaysMs)).toBeLessThan(3_500);
    expect(faults('/v1/findings', { tenants: processor.findings() })).toEqual([]);
    expect(faults('/v1/status', { sources: processor.status() })).toEqual([]);
    expect(faults('/v1/horizons', { tenants: horizonsOf(processor.status()) })).toEqual([]);
    expect(horizonsOf(processor.status())).toMatchObject([{ tenant: 'acme', horizon: expect.any(Number) }]);
  });

  it('has no horizon while a source has said nothing', async () => {
    const world = await new RecorderWorld({ seed: 32 }).open();
    const { processor } = world.start();
    expect(horizonsOf(processor.status())).toMatchObject([{ horizon: null, sources: [{ covers_until: null }] }]);
    expect(faults('/v1/status', { sources: processor.status() })).toEqual([]);
  });
});
