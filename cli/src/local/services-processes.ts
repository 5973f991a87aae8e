// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { endProcess } from '@clyra/stack/process/end-process';
import { launch } from '@clyra/stack/process/launch';
import { requireFreePort } from '@clyra/stack/process/port-holder';
import { waitReady } from '@clyra/stack/process/wait-ready';
import { inheritedEnvironment } from '../config.ts';
import type { LocalLayout } from './layout.ts';
import { serviceNodeOptions } from './node-options.ts';
import type { RunningServices, ServicePlan, StartOptions } from './running-services.ts';
import { LOCAL_HOST } from './service-plan.ts';
import { readServices, runningServices, type ServiceProcess, writeServices } from './services-file.ts';

const STOP_DEADLINE_MS = 15_000;
const PROBE_DEADLINE_MS = 1_000;

/** Starts each service as a process of its own; what already runs is kept. */
export async function startProcesses(plans: readonly ServicePlan[], options: StartOptions): Promise<RunningServices> {
  const { layout, onProgress } = options;
  const before = await runningServices(layout);
  const missing = plans.filter(({ name }) => !before.some((service) => service.name === name));
  for (const { name, env } of missing) await requireFreePort(name, Number(env['CLYRA_HTTP_PORT']));
  const started: ServiceProcess[] = [];
  try {
    for (const plan of missing) {
      started.push(await launchService(plan, layout));
      // After each one: whatever happens next, `down` knows every process there is.
      await writeServices(layout, [...before, ...started]);
    }
    await Promise.all(
      started.map((service) => ready(service, options).then(() => onProgress(`${service.name} is ready`))),
    );
  } catch (failure) {
    await endServices(started);
    await writeServices(layout, before);
    throw failure;
  }
  const services = [...before, ...started];
  return {
    services: services.map(({ name, url }) => ({ name, url })),
    stop: () => stopProcesses(layout),
  };
}

async function launchService({ name, env }: ServicePlan, layout: LocalLayout): Promise<ServiceProcess> {
  const log = join(layout.logsDir, `${name}.log`);
  const main = fileURLToPath(new URL(`../../../services/${name}/src/main.ts`, import.meta.url));
  const identity = await launch({
    program: process.execPath,
    args: [...serviceNodeOptions(name), main],
    cwd: layout.dataDir,
    outputFile: log,
    environment: { ...inheritedEnvironment(), ...env },
  });
  return { name, url: `http://${LOCAL_HOST}:${env['CLYRA_HTTP_PORT']}`, log, process: identity };
}

async function ready(service: ServiceProcess, options: StartOptions): Promise<void> {
  await waitReady({
    title: `the ${service.name}`,
    code: 'CLY_LOCAL_SERVICE',
    identity: service.process,
    deadlineMs: options.startDeadlineMs,
    probe: async () => (await readinessOf(service.url))?.ready === true,
    logFiles: [service.log],
  });
}

export type ReadinessAnswer = {
  readonly ready: boolean;
  readonly reasons: readonly { name: string; reason: string }[];
};

/** What /readyz says; undefined where nobody answers. */
export async function readinessOf(url: string): Promise<ReadinessAnswer | undefined> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_DEADLINE_MS) });
    return (await response.json()) as ReadinessAnswer;
  } catch {
    return undefined;
  }
}

/** Stops every process that `up` started here. Those that ended by themselves are forgotten. */
export async function stopProcesses(layout: LocalLayout): Promise<void> {
  const services = await readServices(layout);
  if (services.length === 0) return;
  await endServices(services);
  await writeServices(layout, []);
}

/** Intake first and alone: what it admitted is still decided, recorded and sealed by the others. */
async function endServices(services: readonly ServiceProcess[]): Promise<void> {
  const end = (service: ServiceProcess): Promise<unknown> =>
    endProcess(service.process, { signal: 'SIGTERM', deadlineMs: STOP_DEADLINE_MS });
  await Promise.all(services.filter(({ name }) => name === 'intake').map(end));
  await Promise.all(services.filter(({ name }) => name !== 'intake').map(end));
}
