// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HERE = import.meta.dirname;
const CACHE = join(HERE, '..', '..', '..', 'node_modules', '.cache');
const INSTALL_DEADLINE_MS = 240_000;
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
    const folder = await installed();
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

/** A virtual environment for exactly these requirements, made once on a machine and seen whole or not at all. */
async function installed(): Promise<string> {
  const requirements = join(HERE, 'requirements.txt');
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const folder = join(CACHE, `clyra-moto-${digest}`);
  if (existsSync(join(folder, 'whole'))) return folder;
  await mkdir(CACHE, { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', folder], { timeout: INSTALL_DEADLINE_MS });
  const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--disable-pip-version-check'];
  await run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', ...options, '-r', requirements], {
    timeout: INSTALL_DEADLINE_MS,
  });
  await mkdir(join(folder, 'making'));
  await rename(join(folder, 'making'), join(folder, 'whole'));
  return folder;
}
