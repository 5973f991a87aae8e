// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import { Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { awaitDependencies, type Dependency } from './dependencies.ts';
import { refuseUntilReady, registerHealthRoutes } from './health-routes.ts';
import { MetricsRegistry } from './metrics/metrics-registry.ts';
import { nestLogger } from './nest-logger.ts';
import { Readiness } from './readiness.ts';

export type StopPart = () => Promise<void>;

export type ServiceOptions = {
  readonly name: string;
  readonly http: { readonly host: string; readonly port: number };
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics?: MetricsRegistry;
  readonly readiness?: Readiness;
  /** Limits and timeouts of the HTTP server; body parsing is Fastify's own, not Nest's. */
  readonly fastify?: FastifyServerOptions;
  /** Providers and imports of the service. */
  readonly module?: ModuleMetadata;
  readonly dependencies?: readonly Dependency[];
  readonly startDeadlineMs?: number;
  readonly shutdownDeadlineMs?: number;
  /**
   * Adds the service's routes in a Fastify scope of their own (own parsers, hooks and error handler). They are
   * registered before anything else is there, and answer 503 CLY_SERVICE_NOT_READY until the service has started.
   */
  readonly routes?: (scope: FastifyInstance) => void | Promise<void>;
  /** Runs when every dependency has answered. Returns what ends the parts it started. */
  readonly start?: () => Promise<StopPart | undefined>;
  /** Ends a start that still waits. */
  readonly signal?: AbortSignal;
};

export type Service = {
  readonly name: string;
  readonly app: NestFastifyApplication;
  /** `http://host:port` with the port that was really taken. */
  readonly url: string;
  readonly readiness: Readiness;
  readonly metrics: MetricsRegistry;
  /** Not ready at once; lets running requests end, then the parts; bounded by the shutdown deadline. Repeatable. */
  close(): Promise<void>;
};

const START_DEADLINE_MS = 120_000;
const SHUTDOWN_DEADLINE_MS = 10_000;
const HTTP_DEFAULTS: FastifyServerOptions = {
  logger: false,
  bodyLimit: 1_048_576,
  requestTimeout: 30_000,
  // No route has a JSON schema: Fastify's compilers for them would only be loaded.
  schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
};

function noSchemas(): never {
  throw new Error('a route with a JSON schema needs the compilers that service-shell.ts leaves out');
}

/**
 * Starts one service: HTTP with health first, so that a supervisor sees why it waits, then the dependencies, then the
 * parts. Works any number of times in one process. Rejects, with everything closed again, with CLY_SERVICE_PORT_TAKEN,
 * CLY_SERVICE_DEPENDENCY or what `start` threw.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const readiness = options.readiness ?? new Readiness();
  const metrics = options.metrics ?? new MetricsRegistry();
  readiness.block('start', 'the service is starting');
  const app = await createApp(options, readiness, metrics);
  const url = await listen(app, options);
  options.logger.info('listening', { url });
  const running: { stop: StopPart | undefined } = { stop: undefined };
  const close = closer({ app, readiness, running }, options);
  try {
    await awaitDependencies(options.dependencies ?? [], {
      deadlineMs: options.startDeadlineMs ?? START_DEADLINE_MS,
      clock: options.clock,
      logger: options.logger,
      readiness,
      signal: options.signal,
    });
    running.stop = await options.start?.();
  } catch (failure) {
    await close();
    throw failure;
  }
  readiness.clear('start');
  options.logger.info('ready', { url });
  return { name: options.name, app, url, readiness, metrics, close };
}

async function createApp(
  options: ServiceOptions,
  readiness: Readiness,
  metrics: MetricsRegistry,
): Promise<NestFastifyApplication> {
  // No decorators in this code base: a module is a class passed through the decorator function.
  const ServiceModule = Module(options.module ?? {})(class {}) ?? class {};
  const adapter = new FastifyAdapter({ ...HTTP_DEFAULTS, ...options.fastify, skipMiddie: true });
  const app = await NestFactory.create<NestFastifyApplication>(ServiceModule, adapter, {
    logger: nestLogger(options.logger),
    bodyParser: false,
    abortOnError: false,
  });
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  registerHealthRoutes(fastify, { name: options.name, readiness, metrics });
  const routes = options.routes;
  if (routes !== undefined) {
    fastify.register(async (scope) => {
      refuseUntilReady(scope, readiness);
      await routes(scope);
    });
  }
  return app;
}

async function listen(app: NestFastifyApplication, options: ServiceOptions): Promise<string> {
  const { host, port } = options.http;
  try {
    await app.listen(port, host);
    const address = app.getHttpServer().address();
    const taken = typeof address === 'object' && address !== null ? address.port : port;
    return `http://${host.includes(':') ? `[${host}]` : host}:${taken}`;
  } catch (cause) {
    await app.close();
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw cause;
    throw new ClyraError(
      'CLY_SERVICE_PORT_TAKEN',
      `${options.name} cannot listen on ${host}:${port} (${code}): stop what uses it, or set CLYRA_HTTP_PORT`,
      { retry: 'never', context: { host, port }, cause },
    );
  }
}

type Running = {
  readonly app: NestFastifyApplication;
  readonly readiness: Readiness;
  readonly running: { stop: StopPart | undefined };
};

/** HTTP drains for at most half the deadline, so that the parts have the other half for what they still hold. */
function closer({ app, readiness, running }: Running, options: ServiceOptions): () => Promise<void> {
  const deadlineMs = options.shutdownDeadlineMs ?? SHUTDOWN_DEADLINE_MS;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    readiness.block('stop', 'the service is stopping');
    const giveUp = options.clock.after(deadlineMs / 2, () => app.getHttpServer().closeAllConnections());
    await app.close().finally(giveUp);
    await running.stop?.();
    options.logger.info('stopped');
  };
  return () => {
    closing ??= within(close(), deadlineMs, options);
    return closing;
  };
}

async function within(work: Promise<void>, deadlineMs: number, options: ServiceOptions): Promise<void> {
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = options.clock.after(deadlineMs, () =>
      reject(
        new ClyraError('CLY_SERVICE_STOP_LATE', `${options.name} did not stop within ${deadlineMs} ms`, {
          retry: 'never',
          context: { deadlineMs },
        }),
      ),
    );
  });
  await Promise.race([work, late]).finally(() => cancel());
}
