// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { SourceStatus } from '../source-figures.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const START_DEADLINE_MS = 60_000;
const POLL_MS = 50;

/** The recorder as a process of its own, to be killed. Ends with this process at the latest. */
export class RecorderProcess {
  readonly #child: ChildProcess;
  readonly #url: Promise<string>;
  readonly #lines: string[] = [];
  readonly #killAtExit = (): void => void this.#child.kill('SIGKILL');

  constructor(env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, ['--conditions=@clyra/source', MAIN], {
      env: { ...env, CLYRA_HTTP_PORT: '0', PATH: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    process.once('exit', this.#killAtExit);
    this.#url = new Promise((resolve, reject) => {
      for (const stream of [this.#child.stdout, this.#child.stderr]) {
        if (stream === null) continue;
        createInterface({ input: stream }).on('line', (line) => {
          this.#lines.push(line);
          const url = /"url":"([^"]+)"/.exec(line)?.[1];
          if (url !== undefined) resolve(url);
        });
      }
      this.#child.once('exit', () => reject(new Error(`the recorder ended: ${this.#lines.join('\n')}`)));
    });
    this.#url.catch(() => undefined);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  async status(): Promise<SourceStatus | undefined> {
    const response = await fetch(`${await this.#url}/v1/status`);
    const { sources } = (await response.json()) as { sources?: readonly SourceStatus[] };
    return sources?.[0];
  }

  async until(what: (status: SourceStatus) => boolean): Promise<SourceStatus> {
    const endMs = performance.now() + START_DEADLINE_MS;
    for (;;) {
      const status = await this.status();
      if (status !== undefined && what(status)) return status;
      if (performance.now() > endMs) {
        throw new Error(`the recorder is not there yet: ${JSON.stringify(status)}\n${this.#lines.join('\n')}`);
      }
      await delay(POLL_MS);
    }
  }

  /** kill -9. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    process.off('exit', this.#killAtExit);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }
}
