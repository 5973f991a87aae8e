// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import { type Crm, startCrm } from '@clyra/scenario-activation/crm-server';
import { POSTGRES_SUPERUSER, postgresPassword } from '@clyra/stack/postgres/postgres';
import { ensureDatabase } from '@clyra/stack/postgres/postgres-roles';
import { stackPaths } from '@clyra/stack/stack-paths';
import { stopStack } from '@clyra/stack/stack-stop';
import { TsaServer } from '@clyra/stack/tsa/tsa-server';
import { addSource } from '../commands/source.ts';
import { openTenant } from '../commands/tenant.ts';
import type { Context } from '../context.ts';
import { IntakeClient } from '../intake/intake-client.ts';
import { applyTopics } from '../local/apply-topics.ts';
import { type Credential, ensureCredential } from '../local/credentials.ts';
import type { ServiceName } from '../local/layout.ts';
import { type Local, prepareLocal } from '../local/prepare-local.ts';
import type { RunningServices } from '../local/running-services.ts';
import { startServices } from '../local/services.ts';
import type { LocalSettings } from '../local/settings.ts';
import { startLocalStack } from '../local/start-stack.ts';
import { recorderStreams } from './await-evidence.ts';

export const DEMO_TENANT = 'acme';
/** The tenant of `--overlay`: its log holds nothing but what the overlay's rules answered. */
export const AGENTS_TENANT = 'acme-agents';
const DEMO_DATABASE = 'crm';
const GUARDED = ['public.activations', 'public.refunds', 'public.audiences', 'public.accounts'];
const POLICY_FILE = new URL('../../../packs/scenarios/activation/policy.yaml', import.meta.url);
/** The demonstration seals at the end of its run; a window cut in between would only make two bundles of it. */
const WINDOW_MS = '3600000';
const STREAM_MS = 60_000;

export type DemoWorld = {
  readonly local: Local;
  readonly settings: LocalSettings;
  readonly credential: Credential;
  readonly crm: Crm;
  /** The demonstration database, as its owner: also the way round the gateway. */
  readonly database: PostgresConnection;
  urlOf(name: ServiceName): string;
  close(): Promise<void>;
};

export type DemoOptions = { readonly portBase?: number | undefined; readonly say: (line: string) => void };

/** Starts the stack, the demonstration CRM and all five services in this process. What was started is ended by close. */
export async function startDemoWorld(context: Context, options: DemoOptions): Promise<DemoWorld> {
  const { say } = options;
  const endings: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of endings.splice(0).reverse()) await end();
  };
  try {
    const local = await prepareLocal(context.layout.dataDir, context);
    const settings = await startLocalStack(local, {
      portBase: options.portBase,
      ownerPid: process.pid,
      onProgress: say,
    });
    endings.push(() => stopStack(local.layout.stackDir));
    await applyTopics({
      brokers: settings.kafka_brokers,
      registryUrl: settings.registry_url,
      prefix: settings.topic_prefix,
      profile: 'local',
    });
    const credential = await ensureCredential(local.layout.credentialsFile, { tenant: DEMO_TENANT }, context.random);
    const database = await demoDatabase(local, settings);
    const crm = await startCrm({ connection: database, host: '127.0.0.1', port: 0 });
    endings.push(() => crm.close());
    const tsa = await TsaServer.start({ folder: local.layout.tsaDir, clock: context.clock, port: 0 });
    endings.push(() => tsa.stop());
    const running: RunningServices[] = [];
    const start = async (names: readonly ServiceName[]): Promise<void> => {
      const started = await startDemoServices({ local, settings, upstream: crm.url, tsaUrl: tsa.url, names, say });
      endings.push(() => started.stop());
      running.push(started);
    };
    await start(['enforcer', 'bundler', 'intake']);
    await registerDemo(context, { settings, database });
    await start(['recorder', 'attestor']);
    const urlOf = (name: ServiceName): string =>
      running.flatMap(({ services }) => services).find((service) => service.name === name)?.url ?? '';
    await recorderStreams(urlOf('recorder'), { clock: context.clock, deadlineMs: STREAM_MS, sourceId: 'crm' });
    return { local, settings, credential, crm, database, urlOf, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function demoDatabase({ layout }: Local, settings: LocalSettings): Promise<PostgresConnection> {
  const { host, port } = settings.postgres;
  const password = postgresPassword(stackPaths(layout.stackDir));
  const admin = openSqlClient({
    connection: { host, port, database: 'postgres', user: POSTGRES_SUPERUSER, password },
    connectionsMax: 1,
  });
  try {
    const owner = { database: DEMO_DATABASE, owner: DEMO_DATABASE, ownerPassword: password, replication: true };
    await ensureDatabase(admin, owner);
  } finally {
    await admin.close();
  }
  return { host, port, database: DEMO_DATABASE, user: DEMO_DATABASE, password };
}

type ServicesPart = {
  readonly local: Local;
  readonly settings: LocalSettings;
  readonly upstream: string;
  readonly tsaUrl: string;
  readonly names: readonly ServiceName[];
  readonly say: (line: string) => void;
};

async function startDemoServices(part: ServicesPart): Promise<RunningServices> {
  const { local, settings, upstream, tsaUrl, names, say } = part;
  for (const name of names) await mkdir(join(local.layout.stateDir, name), { recursive: true });
  return startServices({
    mode: 'in-process',
    layout: local.layout,
    settings,
    logFormat: 'json',
    names,
    extra: {
      intake: { CLYRA_UPSTREAMS: `crm=${upstream}`, CLYRA_WINDOW_MS: WINDOW_MS, CLYRA_WINDOW_COUNT: '1000000' },
      bundler: { CLYRA_TSA_URLS: tsaUrl },
    },
    onProgress: say,
  });
}

/** Tenant, policy and source are registered once; a second start finds them. */
async function registerDemo(
  context: Context,
  demo: { settings: LocalSettings; database: PostgresConnection },
): Promise<void> {
  const known = await new IntakeClient(demo.settings.intake_url).tenant(DEMO_TENANT);
  if (known.status === 200) return;
  const quiet: Context = { ...context, output: context.output.progressOnly() };
  await openTenant(quiet, DEMO_TENANT, { policy: POLICY_FILE.pathname });
  const { host, port, database, user, password } = demo.database;
  const url = `postgres://${user}:${encodeURIComponent(String(password))}@${host}:${port}/${database}`;
  await addSource(quiet, 'crm', { tenant: DEMO_TENANT, url, guard: GUARDED });
}
