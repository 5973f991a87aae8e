// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { silentLogger } from '@clyra/core/ports/logger';
import { freePort } from '@clyra/testing/free-ports';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Service, type ServiceOptions, startService } from './service-shell.ts';
import { systemClock } from './system-clock.ts';

const running: Service[] = [];
afterEach(async () => {
  for (const service of running.splice(0)) await service.close();
});

const base: ServiceOptions = {
  name: 'trial',
  http: { host: '127.0.0.1', port: 0 },
  logger: silentLogger,
  clock: systemClock,
};

async function start(options: Partial<ServiceOptions> = {}): Promise<Service> {
  const service = await startService({ ...base, ...options });
  running.push(service);
  return service;
}

const absent = (retry: 'backoff' | 'never'): ClyraError =>
  new ClyraError('CLY_LOG_UNREACHABLE', 'no broker', { retry });

describe('startService', () => {
  it('serves health, readiness with reasons, metrics and its routes', async () => {
    const service = await start({ routes: (scope) => void scope.get('/v1/thing', async () => ({ thing: 1 })) });
    service.metrics.counter('clyra_things_total', 'Things.').add();
    expect(await (await fetch(`${service.url}/healthz`)).json()).toEqual({ service: 'trial', status: 'alive' });
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${service.url}/v1/thing`)).json()).toEqual({ thing: 1 });
    expect(await (await fetch(`${service.url}/metrics`)).text()).toContain('clyra_things_total 1');
    service.readiness.block('kafka', 'lost');
    const answer = await fetch(`${service.url}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { service: 'trial', ready: false, reasons: [{ name: 'kafka', reason: 'lost' }] },
    ]);
  });

  it('lets a service take every path and every body as raw bytes', async () => {
    const service = await start({
      routes: (scope) => {
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
        scope.all('/*', async (request, reply) => reply.send(request.body));
      },
    });
    const answer = await fetch(`${service.url}/any/path`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"not json',
    });
    expect(await answer.text()).toBe('{"not json');
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  it('waits for a dependency, says so meanwhile, refuses work, and goes on by itself', async () => {
    let answers = false;
    let startedParts = false;
    const port = await freePort();
    const starting = start({
      http: { host: '127.0.0.1', port },
      routes: (scope) => void scope.get('/work', async () => 'done'),
      dependencies: [
        {
          name: 'kafka',
          check: async () => {
            if (!answers) throw absent('backoff');
          },
        },
      ],
      start: async () => {
        startedParts = true;
        return undefined;
      },
    });
    const url = `http://127.0.0.1:${port}`;
    await until(async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 503);
    expect(JSON.stringify(await (await fetch(`${url}/readyz`)).json())).toContain('"name":"kafka"');
    const refused = await fetch(`${url}/work`);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, 'CLY_SERVICE_NOT_READY']);
    expect(startedParts).toBe(false);
    answers = true;
    await starting;
    expect(startedParts).toBe(true);
    expect(await (await fetch(`${url}/work`)).text()).toBe('done');
  });

  it('gives up at the deadline, naming what is missing, with the port free again', async () => {
    const port = await freePort();
    const check = async (): Promise<void> => {
      throw absent('backoff');
    };
    const dependencies = [
      { name: 'kafka', check },
      { name: 'registry', check },
    ];
    const http = { host: '127.0.0.1', port };
    const failure = await startService({ ...base, http, dependencies, startDeadlineMs: 300 }).catch(
      (e: ClyraError) => e,
    );
    expect(failure).toMatchObject({ code: 'CLY_SERVICE_DEPENDENCY', retry: 'backoff' });
    expect((failure as ClyraError).message).toMatch(/kafka did not answer.*\nregistry did not answer/);
    await start({ http });
  });

  it('ends at once where waiting cannot help', async () => {
    const dependencies = [
      {
        name: 'kafka',
        check: async () => {
          throw absent('never');
        },
      },
    ];
    await expect(startService({ ...base, dependencies })).rejects.toMatchObject({ code: 'CLY_LOG_UNREACHABLE' });
  });

  it('says which port is taken', async () => {
    const { url } = await start();
    const http = { host: '127.0.0.1', port: Number(new URL(url).port) };
    await expect(startService({ ...base, http })).rejects.toMatchObject({ code: 'CLY_SERVICE_PORT_TAKEN' });
  });

  it('stops in order: no new work, running requests end, then the parts', async () => {
    const events: string[] = [];
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const service = await start({
      routes: (scope) =>
        void scope.get('/slow', async () => {
          entered.resolve();
          await gate.promise;
          events.push('answered');
          return 'late';
        }),
      start: async () => async () => {
        events.push('parts stopped');
      },
    });
    const slow = fetch(`${service.url}/slow`);
    await entered.promise;
    const closing = service.close();
    expect(service.readiness.ready).toBe(false);
    gate.resolve();
    expect(await (await slow).text()).toBe('late');
    await closing;
    expect(events).toEqual(['answered', 'parts stopped']);
    await service.close();
    expect(events).toHaveLength(2);
  });

  it('cuts off a request that outlives the deadline, and still stops the parts', async () => {
    let stopped = false;
    const entered = Promise.withResolvers<void>();
    const service = await startService({
      ...base,
      shutdownDeadlineMs: 400,
      routes: (scope) =>
        void scope.get('/stuck', () => {
          entered.resolve();
          return new Promise(() => {});
        }),
      start: async () => async () => {
        stopped = true;
      },
    });
    const stuck = fetch(`${service.url}/stuck`).catch(() => 'cut off');
    await entered.promise;
    await service.close();
    expect([await stuck, stopped]).toEqual(['cut off', true]);
  });

  it('runs five times in one process', async () => {
    const services = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => start({ name })));
    const answers = await Promise.all(services.map(async ({ url }) => (await fetch(`${url}/healthz`)).json()));
    expect(answers.map((answer) => (answer as { service: string }).service)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await condition()) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
  throw new Error('the condition did not come true in time');
}
