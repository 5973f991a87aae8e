// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { requireFreePort } from '@clyra/stack/process/port-holder';
import { isRunning, type ProcessIdentity } from '@clyra/stack/process/process-identity';
import { startStack } from '@clyra/stack/stack';
import type { StackOptions, StackPart } from '@clyra/stack/stack-config';
import { stackPaths } from '@clyra/stack/stack-paths';
import { readState } from '@clyra/stack/stack-state';
import { portAnswers } from '@clyra/testing/port-answers';

const GONE_DEADLINE_MS = 30_000;
const LOOK_EVERY_MS = 5;

/** One process of the stack under a test's hands: killed, stopped, frozen and started again. */
export class StackPartHandle {
  readonly #options: StackOptions & { readonly dataDir: string };
  readonly #part: StackPart;
  readonly #port: number;

  constructor(part: StackPart, options: StackOptions & { readonly dataDir: string; readonly port: number }) {
    this.#part = part;
    const { port, ...stackOptions } = options;
    this.#options = stackOptions;
    this.#port = port;
  }

  /** kill -9. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** As an operator stops it; returns when it is gone. */
  stop(): Promise<void> {
    return this.#end(this.#part === 'postgres' ? 'SIGINT' : 'SIGTERM');
  }

  /** Sends the signal only: the caller's moment is when this returns. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.#identity().pid, signal);
  }

  freeze(): void {
    this.signal('SIGSTOP');
  }

  thaw(): void {
    this.signal('SIGCONT');
  }

  /** Starts it again; resolves with the moment from which it accepted connections. */
  async restart(): Promise<{ readonly acceptedAtMs: number }> {
    const starting = startStack(this.#options);
    const accepted = this.#acceptedAt(starting);
    await starting;
    return { acceptedAtMs: await accepted };
  }

  async #acceptedAt(starting: Promise<unknown>): Promise<number> {
    let failed = false;
    starting.catch(() => {
      failed = true;
    });
    // Before the new process is there, what accepts is the stack's own look whether the port is free.
    while (!failed && !(isRunning(this.#identity()) && (await portAnswers(this.#port)))) await pause(LOOK_EVERY_MS * 4);
    return Date.now();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const identity = this.#identity();
    process.kill(identity.pid, signal);
    const endMs = performance.now() + GONE_DEADLINE_MS;
    while (isRunning(identity)) {
      if (performance.now() > endMs) throw new Error(`${this.#part} is still there after ${signal}`);
      await pause(LOOK_EVERY_MS);
    }
    // The last threads of a killed Java process may hold its sockets for a moment after its first one is gone.
    while (!(await isFree(this.#port))) {
      if (performance.now() > endMs) throw new Error(`${this.#part}'s port is still taken after ${signal}`);
      await pause(LOOK_EVERY_MS * 4);
    }
  }

  #identity(): ProcessIdentity {
    const identity = readState(stackPaths(this.#options.dataDir).stateFile)?.processes[this.#part];
    if (identity === undefined) throw new Error(`${this.#part} was not started`);
    return identity;
  }
}

async function isFree(port: number): Promise<boolean> {
  return requireFreePort('', port).then(
    () => true,
    () => false,
  );
}
