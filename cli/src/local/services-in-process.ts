// SPDX-License-Identifier: Apache-2.0
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Logger } from '@clyra/core/ports/logger';
import { createLogger } from '@clyra/runtime/logger';
import { systemClock } from '@clyra/runtime/system-clock';
import type { RunningServices, ServicePlan, StartOptions } from './running-services.ts';
import { SERVICE_STARTERS } from './service-starters.ts';

type Started = { readonly name: ServicePlan['name']; readonly url: string; close(): Promise<void> };

/** All services in this process, each with its own log file: quicker to start, and printed as no separation. */
export async function startInProcess(plans: readonly ServicePlan[], options: StartOptions): Promise<RunningServices> {
  const results = await Promise.allSettled(plans.map((plan) => startOne(plan, options)));
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await stopAll(started);
    throw failed.reason;
  }
  return { services: started.map(({ name, url }) => ({ name, url })), stop: () => stopAll(started) };
}

async function startOne(plan: ServicePlan, options: StartOptions): Promise<Started> {
  const log = openLog(plan.name, options);
  try {
    const env = { ...plan.env, CLYRA_START_DEADLINE_MS: String(options.startDeadlineMs) };
    const service = await SERVICE_STARTERS[plan.name](env, { logger: log.logger });
    options.onProgress(`${plan.name} is ready`);
    return { name: plan.name, url: service.url, close: () => service.close().finally(log.close) };
  } catch (failure) {
    await log.close();
    throw failure;
  }
}

function openLog(name: string, { layout }: StartOptions): { logger: Logger; close: () => Promise<void> } {
  const sink = createWriteStream(join(layout.logsDir, `${name}.log`), { flags: 'w' });
  const logger = createLogger({ service: name, format: 'json', sink, clock: systemClock });
  return { logger, close: () => finished(sink.end()) };
}

/** Intake first and alone: what it admitted is still decided, recorded and sealed by the others. */
async function stopAll(services: readonly Started[]): Promise<void> {
  const closing = (intake: boolean): Promise<unknown>[] =>
    services.filter(({ name }) => (name === 'intake') === intake).map((service) => service.close());
  const results = [...(await Promise.allSettled(closing(true))), ...(await Promise.allSettled(closing(false)))];
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
