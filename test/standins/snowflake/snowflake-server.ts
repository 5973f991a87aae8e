// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { SnowflakeConnection } from '@clyra/adapter-snowflake/snowflake-settings';
import { pythonEnvironment } from '../python-environment.ts';

const HERE = import.meta.dirname;
const START_DEADLINE_MS = 60_000;
const LISTENING = /listening on (\d+)/;

export const STANDIN_USER = 'recorder';
export const STANDIN_PASSWORD = 'stand-in secret';
export const STANDIN_SYSTEM_ID = 'snowflake:CLYRA1:AWS_EU_CENTRAL_1';

export type Row = Readonly<Record<string, unknown>> & { readonly visible_at: number };

/** What the history views show, each row from its `visible_at` on. Members are the columns in lower case. */
export type Deliveries = {
  readonly statements?: readonly Row[];
  readonly accesses?: readonly Row[];
  readonly redemptions?: readonly Row[];
};

export type Order = {
  readonly clock_ms?: number;
  readonly deliver?: Deliveries;
  readonly forget_before_ms?: number;
  readonly clear?: true;
  readonly end_sessions?: true;
  readonly faults?: {
    readonly short?: number;
    readonly empty?: number;
    readonly slow?: number;
    readonly broken?: number;
    readonly refused?: number;
  };
};

/** server.py beside this file as a process of its own. */
export class SnowflakeServer {
  #child: ChildProcess | undefined;
  #port = 0;

  static async start(): Promise<SnowflakeServer> {
    const server = new SnowflakeServer();
    await server.start();
    return server;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get connection(): SnowflakeConnection {
    const secret = { kind: 'password' as const, read: async () => STANDIN_PASSWORD };
    return { account: 'standin', address: this.address, user: STANDIN_USER, secret };
  }

  /** At the same address as before, if it ran before; with an empty history. */
  async start(): Promise<void> {
    const folder = await pythonEnvironment('fakesnow', join(HERE, 'requirements.txt'));
    const argv = ['-W', 'ignore', join(HERE, 'server.py'), String(this.#port), STANDIN_USER, STANDIN_PASSWORD];
    const child = spawn(join(folder, 'bin', 'python'), argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#port = await new Promise<number>((resolve, reject) => {
      let text = '';
      const deadline = setTimeout(() => reject(new Error(`the stand-in is late: ${text}`)), START_DEADLINE_MS);
      const read = (chunk: Buffer): void => {
        text += chunk.toString('utf8');
        const port = LISTENING.exec(text)?.[1];
        if (port === undefined) return;
        clearTimeout(deadline);
        resolve(Number(port));
      };
      child.stdout?.on('data', read);
      child.stderr?.on('data', read);
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`the stand-in ended: ${text}`)));
    });
  }

  /** The statements that were asked since the order before. */
  async order(order: Order): Promise<readonly string[]> {
    const answer = await fetch(`${this.address}/standin`, { method: 'POST', body: JSON.stringify(order) });
    if (!answer.ok) throw new Error(`the stand-in does not take an order: ${answer.status}`);
    return ((await answer.json()) as { readonly asked: readonly string[] }).asked;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    this.#child = undefined;
  }
}
