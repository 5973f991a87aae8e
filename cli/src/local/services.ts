// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { SERVICES, type ServiceName } from './layout.ts';
import type { RunningServices } from './running-services.ts';
import { type ServiceEnvironmentOptions, serviceEnvironment } from './service-plan.ts';
import { startProcesses } from './services-processes.ts';

export type StartServicesOptions = Omit<ServiceEnvironmentOptions, 'separation'> & {
  /** `processes`: each a process that outlives this one. `in-process`: all here, ended by `stop`. */
  readonly mode: 'processes' | 'in-process';
  readonly names?: readonly ServiceName[];
  readonly startDeadlineMs?: number;
  readonly onProgress?: (line: string) => void;
};

const START_DEADLINE_MS = 60_000;

/**
 * Starts the services of a local installation and waits until each is ready. Where one is not, those that this call
 * started are stopped again and it rejects with CLY_LOCAL_SERVICE, with the last lines of that service's log, or with
 * CLY_STACK_PORT_TAKEN.
 */
export async function startServices(options: StartServicesOptions): Promise<RunningServices> {
  const names = options.names ?? SERVICES;
  const { layout } = options;
  for (const name of names) await mkdir(`${layout.stateDir}/${name}`, { recursive: true });
  const separation = options.mode === 'processes' ? 'processes' : 'none';
  const plans = names.map((name) => ({ name, env: serviceEnvironment(name, { ...options, separation }) }));
  const start = options.mode === 'processes' ? startProcesses : await inProcess();
  return start(plans, {
    layout,
    startDeadlineMs: options.startDeadlineMs ?? START_DEADLINE_MS,
    onProgress: options.onProgress ?? (() => {}),
  });
}

async function inProcess(): Promise<typeof startProcesses> {
  const { startInProcess } = await import('./services-in-process.ts');
  return startInProcess;
}
