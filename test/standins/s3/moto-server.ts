// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { pythonEnvironment } from '../python-environment.ts';

const HERE = import.meta.dirname;
const START_DEADLINE_MS = 30_000;
const LISTENING = /Running on (http:\/\/127\.0\.0\.1:\d+)/;

/**
 * moto's S3 server as a process of its own: somebody else's implementation of the protocol, with versions, conditional
 * puts and Object Lock. It does not refuse to shorten a retention, which AWS does.
 */
export class MotoServer {
  readonly endpoint: string;
  readonly #child: ChildProcess;

  private constructor(endpoint: string, child: ChildProcess) {
    this.endpoint = endpoint;
    this.#child = child;
  }

  static async start(): Promise<MotoServer> {
    const folder = await pythonEnvironment('moto', join(HERE, 'requirements.txt'));
    const child = spawn(join(folder, 'bin', 'python'), ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const endpoint = await new Promise<string>((resolve, reject) => {
      let text = '';
      const deadline = setTimeout(() => reject(new Error(`moto did not start in time: ${text}`)), START_DEADLINE_MS);
      child.stderr?.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
        const address = LISTENING.exec(text)?.[1];
        if (address === undefined) return;
        clearTimeout(deadline);
        resolve(address);
      });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`moto ended: ${text}`)));
    });
    return new MotoServer(endpoint, child);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}
