// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { HttpTarget } from '../load/http-target.ts';
import type { Sample } from '../load/load-result.ts';
import { RequestMaker } from '../load/request-maker.ts';
import { type Load, runLoad } from '../load/run-load.ts';
import { countCpu } from '../process/cpu-time.ts';
import { type ProfileSummary, summariseProfile } from '../process/profile-summary.ts';
import type { World } from '../world/world.ts';
import { StageReader, type Stages } from './read-stages.ts';

export type TimeUse = {
  readonly load: string;
  readonly perSecond: number;
  readonly stages: Stages;
  /** CPU milliseconds for each request, by process. */
  readonly cpuMs: Readonly<Record<string, number>>;
};

export type ServiceProfiles = Readonly<Record<'intake' | 'enforcer', ProfileSummary>>;

const BODY_BYTES = 1_024;

/** One block through the gateway, with each request followed through the log and the CPU time of every process. */
export async function measureTimeUse(world: World, load: Load, durationMs: number): Promise<TimeUse> {
  const reader = new StageReader(world);
  const from = await reader.mark();
  const samples: Sample[] = [];
  const stopCounting = countCpu([...world.pids(), { name: 'load generator', pid: process.pid }]);
  const result = await throughGateway(world, { load, durationMs, onSample: (sample) => samples.push(sample) });
  const count = result.latenciesMs.length;
  const cpuMs = Object.fromEntries(stopCounting().map(({ name, cpuMs: used }) => [name, used / count]));
  const stages = await reader.stages(from, samples);
  await reader.close();
  const name = load.kind === 'rate' ? `${load.perSecond} requests/s` : `${load.clients} clients`;
  return { load: name, perSecond: (count * 1_000) / result.durationMs, stages, cpuMs };
}

/** Both services profiled at once, under many clients. A profile slows a process, so nothing else is measured here. */
export async function profileServices(
  world: World,
  options: { readonly load: Load; readonly durationMs: number; readonly folder: string },
): Promise<ServiceProfiles> {
  const { load, durationMs, folder } = options;
  const services = [world.intake, world.enforcer];
  for (const service of services) service.startProfile();
  await throughGateway(world, { load, durationMs });
  const fileOf = (name: string): string => join(folder, `${name}.cpuprofile`);
  for (const service of services) await service.stopProfile(fileOf(service.name));
  return { intake: summariseProfile(fileOf('intake')), enforcer: summariseProfile(fileOf('enforcer')) };
}

async function throughGateway(
  world: World,
  options: { readonly load: Load; readonly durationMs: number; readonly onSample?: (sample: Sample) => void },
) {
  const connections = options.load.kind === 'clients' ? options.load.clients : 256;
  const target = new HttpTarget(world.settings.gateway_url, connections);
  const maker = new RequestMaker(world.callers, BODY_BYTES);
  const result = await runLoad({ ...options, target, maker });
  await target.close();
  return result;
}
