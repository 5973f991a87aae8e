// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inheritedEnvironment } from '@clyra/cli/config';
import type { ServiceName } from '@clyra/cli/local/layout';
import { serviceNodeOptions } from '@clyra/cli/local/node-options';
import { type ReadinessAnswer, readinessOf } from '@clyra/cli/local/services-processes';
import { killAtExit } from '@clyra/testing/kill-at-exit';

export type ServiceProcessOptions = {
  /** Which service, and the name of this process of it (`enforcer-2`). */
  readonly service: ServiceName;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
};

const READY_DEADLINE_MS = 60_000;
const LOOK_EVERY_MS = 50;
const LOG_TAIL_CHARS = 4_000;

/** One service as a process of its own: started, killed and started again by a test. Ends with the test at the latest. */
export class ServiceProcess {
  readonly options: ServiceProcessOptions;
  #child: ChildProcess | undefined;
  startCount = 0;

  constructor(options: ServiceProcessOptions) {
    this.options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.env['CLYRA_HTTP_PORT']}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it wrote since its first start. */
  get log(): string {
    return readFileSync(this.options.logFile, 'utf8');
  }

  /** Starts the process and does not wait for it. `env` is added for this start. */
  spawn(env: Readonly<Record<string, string>> = {}): void {
    if (this.isRunning) throw new Error(`${this.options.name} runs already`);
    const { service, logFile } = this.options;
    const main = new URL(`../../../services/${service}/src/main.ts`, import.meta.url);
    const output = openSync(logFile, 'a');
    this.#child = spawn(process.execPath, [...serviceNodeOptions(service), fileURLToPath(main)], {
      env: { ...inheritedEnvironment(), ...this.options.env, ...env },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    killAtExit(this.#child);
    this.startCount += 1;
  }

  async start(): Promise<void> {
    this.spawn();
    await this.ready();
  }

  /** What /readyz says; undefined where nobody answers. */
  readiness(): Promise<ReadinessAnswer | undefined> {
    return readinessOf(this.url);
  }

  async ready(deadlineMs = READY_DEADLINE_MS): Promise<void> {
    await this.until('ready', (answer) => answer?.ready === true, deadlineMs);
  }

  async until(
    what: string,
    look: (answer: ReadinessAnswer | undefined) => boolean,
    deadlineMs = READY_DEADLINE_MS,
  ): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    for (;;) {
      const answer = await this.readiness();
      if (look(answer)) return;
      if (!this.isRunning || performance.now() > endMs) {
        const said = JSON.stringify(answer);
        throw new Error(`${this.options.name} is not ${what}: ${said}\n${this.log.slice(-LOG_TAIL_CHARS)}`);
      }
      await pause(LOOK_EVERY_MS);
    }
  }

  /** kill -9, and resolves when it is gone. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** Resolves with the exit code, once it ended by itself. */
  async exitCode(deadlineMs: number): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) throw new Error(`${this.options.name} was not started`);
    if (this.isRunning) await once(child, 'exit', { signal: AbortSignal.timeout(deadlineMs) });
    return child.exitCode;
  }
}
