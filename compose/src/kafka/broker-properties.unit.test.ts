// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { brokerProperties, propertiesText } from './broker-properties.ts';

const settings = { ports: { kafka: 1000, kafkaController: 1001 }, dataDir: '/d', extraListeners: [] };

describe('brokerProperties', () => {
  it('listens on this machine only', () => {
    const { listeners } = brokerProperties(settings);
    expect(listeners).toBe('BROKER://127.0.0.1:1000,CONTROLLER://127.0.0.1:1001');
  });

  it('advertises an extra listener at the port of the proxy before it', () => {
    const extraListeners = [{ name: 'LOSSY', port: 1002, advertisedPort: 1003 }];
    const properties = brokerProperties({ ...settings, extraListeners });
    expect(properties['listeners']).toContain('LOSSY://127.0.0.1:1002');
    expect(properties['advertised.listeners']).toBe('BROKER://127.0.0.1:1000,LOSSY://127.0.0.1:1003');
    expect(properties['listener.security.protocol.map']).toContain('LOSSY:PLAINTEXT');
  });

  it('never makes a topic by accident and never loses an acknowledged record for a leader', () => {
    expect(brokerProperties(settings)).toMatchObject({
      'auto.create.topics.enable': 'false',
      'unclean.leader.election.enable': 'false',
    });
  });
});

it('propertiesText escapes what Java would read as an escape', () => {
  expect(propertiesText({ 'log.dirs': 'C:\\data' })).toBe('log.dirs=C:\\\\data\n');
});
