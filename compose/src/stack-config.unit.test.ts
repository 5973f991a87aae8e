// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { stackConfig } from './stack-config.ts';

describe('stackConfig', () => {
  it('uses the documented ports, or a block from one base', () => {
    expect(stackConfig({}).ports).toEqual({ kafka: 29092, kafkaController: 29093, registry: 28081, postgres: 25432 });
    expect(stackConfig({ portBase: 40_000 }).ports).toEqual({
      kafka: 40_000,
      kafkaController: 40_001,
      registry: 40_002,
      postgres: 40_003,
    });
    expect(stackConfig({ portBase: 40_000, ports: { postgres: 5432 } }).ports.postgres).toBe(5432);
  });

  it('adds kafka where the registry is asked for, and nothing else', () => {
    expect(stackConfig({ parts: ['registry'] }).parts).toEqual(['kafka', 'registry']);
    expect(stackConfig({ parts: ['postgres'] }).parts).toEqual(['postgres']);
  });

  it.each([
    ['a port out of range', { portBase: 65_535 }, 'port 65536 is not a port'],
    ['no number', { portBase: Number('x') }, 'port NaN is not a port'],
    ['a port given twice', { ports: { kafka: 28_081 } }, 'port 28081 is given twice'],
    ['an unknown part', { parts: ['redis' as 'kafka'] }, 'there is no part redis'],
    [
      'a listener name of the broker itself',
      { extraListeners: [{ name: 'BROKER', port: 30_000, advertisedPort: 30_001 }] },
      'listener name BROKER is taken',
    ],
    [
      'a listener name that would break the properties file',
      { extraListeners: [{ name: 'X,Y', port: 30_000, advertisedPort: 30_001 }] },
      'must be capital letters',
    ],
  ])('refuses %s', (_what, options, message) => {
    expect(() => stackConfig(options)).toThrow(expect.objectContaining({ code: 'CLY_STACK_CONFIG' }));
    expect(() => stackConfig(options)).toThrow(message);
  });
});
