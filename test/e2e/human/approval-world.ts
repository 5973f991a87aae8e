// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gatewaySender, type Sent } from '@clyra/cli/quickstart/gateway-sender';
import { systemClock } from '@clyra/runtime/system-clock';
import { systemRandom } from '@clyra/runtime/system-random';
import { FaultWorld } from '../../faults/world/fault-world.ts';
import { NotingUpstream } from '../../faults/world/noting-upstream.ts';
import { WORLD_PARTITION, WORLD_TENANT } from '../../faults/world/world-policy.ts';
import { spareWorldPort } from '../../faults/world/world-ports.ts';
import type { OidcPerson } from '../../standins/oidc/oidc-server.ts';
import { type Ended, runClyra } from '../run-clyra.ts';
import { startOidcProcess } from './oidc-process.ts';

export const APPROVERS: readonly OidcPerson[] = [
  { subject: 'ada', name: 'Ada Lovelace', password: 'ada-pass', code: '111', methods: ['pwd', 'hwk', 'mfa'] },
  { subject: 'bea', name: 'Bea Arthur', password: 'bea-pass', code: '222', methods: ['pwd', 'otp', 'mfa'] },
];

const POLICY = `
name: approvals-e2e
routes:
  - { id: audiences.push, method: POST, path: "/audiences/{name}", upstream: crm }
  - { id: refunds.create, method: POST, path: /refunds, upstream: crm }
  - { id: limits.set, method: POST, path: /limits, upstream: crm, mode: gate }
approvals:
  - { id: push, routes: [audiences.push], quorum: 2, mfa: true, grade_min: 2, idp_domains: [localhost] }
  - { id: refund, routes: [refunds.create], idp_domains: [localhost] }
  - { id: limit, routes: [limits.set] }
body_storage: { keep: while_held }
break_glass: { allowed: true, review_hours: 1 }
`;

export type ApprovalWorld = {
  readonly world: FaultWorld;
  readonly upstream: NotingUpstream;
  /** The human door. */
  readonly door: string;
  send(target: string, body: object, key: string): Promise<Sent>;
  clyra(...args: readonly string[]): Promise<Ended>;
};

const CLI_MS = 60_000;
const ACTOR = 'sync-job';

/** Intake with its human door, enforcer and bundler as processes on a stack of their own, and an identity provider. */
export async function startApprovalWorld(seed: number): Promise<ApprovalWorld> {
  const world = await FaultWorld.start({ name: 'approvals', parts: ['kafka', 'registry'], seed });
  try {
    return await fill(world);
  } catch (error) {
    await world.close();
    throw error;
  }
}

async function fill(world: FaultWorld): Promise<ApprovalWorld> {
  const { local, portBase, settings, credential, folder } = world.parts;
  const door = `http://127.0.0.1:${spareWorldPort(portBase, 3)}`;
  const client = { clientId: 'clyra-door', clientSecret: 'between-us', redirectUris: [`${door}/callback`] };
  const plan = { ...client, host: 'localhost', port: spareWorldPort(portBase, 4), title: 'Corporate sign-in' };
  const provider = await startOidcProcess({ ...plan, people: APPROVERS });
  world.onClose(() => provider.close());
  const identity = {
    public_url: door,
    providers: [
      {
        name: 'corp',
        title: 'Corporate sign-in',
        issuer: provider.issuer,
        tenants: [WORLD_TENANT],
        client_id: client.clientId,
        client_secret: client.clientSecret,
      },
    ],
  };
  await writeFile(local.layout.identityFile, JSON.stringify(identity), { mode: 0o600 });
  const upstream = await NotingUpstream.start();
  world.onClose(() => upstream.close());
  const env = { CLYRA_UPSTREAMS: `crm=${upstream.url}`, CLYRA_HOLD_MS: '10000', CLYRA_WINDOW_MS: '3600000' };
  await Promise.all([
    world.service('intake', { env }).start(),
    world.service('enforcer').start(),
    world.service('bundler').start(),
  ]);
  const clyra = (...args: readonly string[]) => runClyra(['--data-dir', local.layout.dataDir, ...args], CLI_MS);
  const policy = join(folder, 'policy.yaml');
  await writeFile(policy, POLICY);
  const opened = await clyra(
    'tenant',
    'open',
    WORLD_TENANT,
    '--policy',
    policy,
    '--partition',
    String(WORLD_PARTITION),
  );
  if (opened.code !== 0) throw new Error(`the tenant was not opened: ${opened.stdout}${opened.stderr}`);
  const sender = gatewaySender({
    gatewayUrl: settings.gateway_url,
    credential,
    clock: systemClock,
    random: systemRandom,
  });
  const send = (target: string, body: object, idempotencyKey: string) =>
    sender({ target, body: JSON.stringify(body), actor: ACTOR, idempotencyKey });
  return { world, upstream, door, send, clyra };
}
