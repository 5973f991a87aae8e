// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from 'node:child_process';
import { openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServiceName } from '@clyra/cli/local/layout';
import { serviceNodeOptions } from '@clyra/cli/local/node-options';
import type { PeerNews, PeerOrder } from './peer-side.ts';

export type PeerPlan = {
  readonly name: string;
  /** It is started as this one is. */
  readonly service?: ServiceName;
  /** The module to run; it begins with `followParent`. */
  readonly script: URL;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
};

const READY_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
const PROFILE_DEADLINE_MS = 60_000;

/** A process of the bench beside the load generator. */
export class Peer {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #logFile: string;

  constructor({ name, service = 'intake', script, args, env, logFile }: PeerPlan) {
    const log = openSync(logFile, 'w');
    this.name = name;
    this.#logFile = logFile;
    this.#child = fork(fileURLToPath(script), [...args], {
      execArgv: [...serviceNodeOptions(service)],
      stdio: ['ignore', log, log, 'ipc'],
      ...(env === undefined ? {} : { env }),
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The address that the process says it listens on. Rejects when it ends or stays silent. */
  async ready(): Promise<string> {
    const news = await this.#news('ready', READY_DEADLINE_MS);
    return 'ready' in news ? news.ready : '';
  }

  startProfile(): void {
    this.#order({ profile: 'start' });
  }

  async stopProfile(file: string): Promise<void> {
    const written = this.#news('profiled', PROFILE_DEADLINE_MS);
    this.#order({ profile: 'stop', file });
    await written;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), STOP_DEADLINE_MS);
    this.#child.kill('SIGTERM');
    await ended;
    clearTimeout(kill);
  }

  #order(order: PeerOrder): void {
    this.#child.send(order);
  }

  #news(wanted: 'ready' | 'profiled', deadlineMs: number): Promise<PeerNews> {
    return new Promise((resolve, reject) => {
      const fail = (): void => settle(() => reject(new Error(`${this.name} is not ${wanted}: see ${this.#logFile}`)));
      const timer = setTimeout(fail, deadlineMs);
      const onMessage = (news: PeerNews): void => {
        if (wanted in news) settle(() => resolve(news));
      };
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        this.#child.off('message', onMessage).off('exit', fail);
        then();
      };
      this.#child.on('message', onMessage).once('exit', fail);
    });
  }
}
