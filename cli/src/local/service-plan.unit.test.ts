// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { intakeConfig } from '@clyra/intake/config';
import { loadConfig } from '@clyra/runtime/config/load-config';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { configSections } from '../reference/config-sections.ts';
import { type LocalLayout, localLayout, SERVICES } from './layout.ts';
import { prepareLocal } from './prepare-local.ts';
import { gatewayPort, serviceEnvironment, servicePorts } from './service-plan.ts';
import type { LocalSettings } from './settings.ts';

let layout: LocalLayout;
let trustRootDigest: string;
const ports = servicePorts(39_000);
const settings: LocalSettings = {
  format: 'clyra/local-settings/v0',
  port_base: 39_000,
  topic_prefix: 'trial',
  kafka_brokers: ['127.0.0.1:39000'],
  registry_url: 'http://127.0.0.1:39002',
  intake_url: `http://127.0.0.1:${ports.intake}`,
  gateway_url: `http://127.0.0.1:${gatewayPort(39_000)}`,
  upstreams: ['crm=http://127.0.0.1:8090'],
  service_ports: ports,
  postgres: { host: '127.0.0.1', port: 39_003 },
};

beforeAll(async () => {
  layout = localLayout(await mkdtemp(join(tmpdir(), 'clyra-plan-')));
  const clock = { nowMs: () => 1_800_000_000_000, after: () => () => {} };
  const local = await prepareLocal(layout.dataDir, { clock, random: { bytes: (size) => new Uint8Array(size) } });
  trustRootDigest = local.trustRoot.digest;
});
afterAll(() => rm(layout.dataDir, { recursive: true, force: true }));

describe('serviceEnvironment', () => {
  const options = () => ({ layout, settings, separation: 'processes', logFormat: 'json' }) as const;

  it('is a complete configuration of every service', () => {
    const declared = configSections().filter(({ service }) => (SERVICES as readonly string[]).includes(service));
    for (const { service, declaration } of declared) {
      const env = serviceEnvironment(service as (typeof SERVICES)[number], options());
      expect(() => loadConfig(declaration, env)).not.toThrow();
    }
    expect(declared.length).toBeGreaterThan(0);
  });

  it('gives intake its gateway, its upstreams and the one trust root that tenants may be opened under', () => {
    const config = loadConfig(intakeConfig, serviceEnvironment('intake', options()));
    expect(config).toMatchObject({
      httpPort: 39_011,
      gatewayPort: 39_015,
      topicPrefix: 'trial',
      upstreams: ['crm=http://127.0.0.1:8090'],
      trustRootDigests: [trustRootDigest],
    });
  });

  it('lets a caller add variables of a service', () => {
    const extra = { intake: { CLYRA_UPSTREAMS: 'other=http://127.0.0.1:1' } };
    expect(serviceEnvironment('intake', { ...options(), extra })['CLYRA_UPSTREAMS']).toBe('other=http://127.0.0.1:1');
    expect(serviceEnvironment('enforcer', { ...options(), extra })['CLYRA_UPSTREAMS']).toBeUndefined();
  });

  it('gives every port once', () => {
    for (const base of [undefined, 39_000]) {
      const all = [...Object.values(servicePorts(base)), gatewayPort(base)];
      expect(new Set(all).size).toBe(SERVICES.length + 1);
    }
  });
});
