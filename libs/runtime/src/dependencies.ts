// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { Readiness } from './readiness.ts';

/** Something a service cannot start without: the broker, the registry, a database. */
export type Dependency = {
  readonly name: string;
  /** Resolves when it answers; rejects within `deadlineMs`. An error with retry `never` ends the start at once. */
  check(deadlineMs: number): Promise<void>;
};

export type WaitOptions = {
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readiness: Readiness;
  /** Ends the wait: the service was told to stop before it had started. */
  readonly signal?: AbortSignal | undefined;
};

const CHECK_MS = 5_000;
const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 2_000;
const REPEAT_LOG_MS = 10_000;

/**
 * Waits for all dependencies together. Each that is missing is logged and shown by /readyz until it is there. Rejects
 * with CLY_SERVICE_DEPENDENCY (retry: backoff), naming every missing one, once the deadline has passed.
 */
export async function awaitDependencies(dependencies: readonly Dependency[], options: WaitOptions): Promise<void> {
  const endMs = options.clock.nowMs() + options.deadlineMs;
  for (const { name } of dependencies) options.readiness.block(name, 'not asked yet');
  const results = await Promise.allSettled(dependencies.map((dependency) => waitFor(dependency, endMs, options)));
  const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
  const bug = failures.find((failure) => !(failure instanceof ClyraError));
  if (bug !== undefined) throw bug;
  const [first, ...others] = failures as ClyraError[];
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new ClyraError(first.code, [first, ...others].map(({ message }) => message).join('\n'), {
    retry: failures.some((failure) => (failure as ClyraError).retry === 'never') ? 'never' : 'backoff',
    cause: first,
  });
}

async function waitFor(dependency: Dependency, endMs: number, options: WaitOptions): Promise<void> {
  const { clock, logger, readiness, signal } = options;
  const startedMs = clock.nowMs();
  let loggedMs = Number.NEGATIVE_INFINITY;
  for (let pauseMs = PAUSE_MIN_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
    const failure = await attempt(dependency, Math.max(1, Math.min(CHECK_MS, endMs - clock.nowMs())));
    if (failure === undefined) break;
    if (failure.retry === 'never' || signal?.aborted === true) throw failure;
    readiness.block(dependency.name, `${failure.code}: ${failure.message}`);
    if (clock.nowMs() - loggedMs >= REPEAT_LOG_MS) {
      loggedMs = clock.nowMs();
      logger.warn(`waiting for ${dependency.name}`, { code: failure.code, detail: failure.message });
    }
    if (clock.nowMs() + pauseMs >= endMs) throw unavailable(dependency.name, options.deadlineMs, failure);
    await sleep(clock, pauseMs);
  }
  readiness.clear(dependency.name);
  if (loggedMs > 0) logger.info(`${dependency.name} answers`, { waitedMs: clock.nowMs() - startedMs });
}

async function attempt(dependency: Dependency, deadlineMs: number): Promise<ClyraError | undefined> {
  try {
    await dependency.check(deadlineMs);
    return undefined;
  } catch (failure) {
    if (failure instanceof ClyraError) return failure;
    throw failure;
  }
}

function unavailable(name: string, deadlineMs: number, cause: ClyraError): ClyraError {
  return new ClyraError(
    'CLY_SERVICE_DEPENDENCY',
    `${name} did not answer within ${deadlineMs} ms: start it or correct its address. Last answer: ${cause.message}`,
    { retry: 'backoff', context: { dependency: name, lastCode: cause.code }, cause },
  );
}
