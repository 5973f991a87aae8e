// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { describe, expect, it } from '@jest/globals';

const SOURCE_DIR = new URL('./', import.meta.url);

/** For the programs that start a service; loading Nest takes longer than the rest. */
const SERVICE = `
  import { startService } from '${new URL('service-shell.ts', SOURCE_DIR).href}';
  import { systemClock } from '${new URL('system-clock.ts', SOURCE_DIR).href}';
  const say = (message) => process.stdout.write(message + '\\n');
  const base = {
    name: 'trial', http: { host: '127.0.0.1', port: 0 }, clock: systemClock,
    logger: { info: say, warn: say, error: say },
  };
`;

/** A main program of its own, as a service has one, started from source. */
function startMain(body: string): { child: ChildProcess; said: () => string } {
  const program = `
    import { ClyraError } from '@clyra/core/kernel/error';
    import { runMain } from '${new URL('run-main.ts', SOURCE_DIR).href}';
    ${body}`;
  const args = ['--conditions=@clyra/source', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, args, { cwd: SOURCE_DIR, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, said: () => text };
}

async function untilSaid({ child, said }: ReturnType<typeof startMain>, text: string): Promise<void> {
  while (!said().includes(text)) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before it said ${text}: ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('runMain', () => {
  it('closes the service on SIGTERM and ends with 0', async () => {
    const main = startMain(`${SERVICE}await runMain((signal) => startService({ ...base, signal,
      start: async () => async () => say('parts ended') }));`);
    await untilSaid(main, 'ready');
    main.child.kill('SIGTERM');
    expect(await once(main.child, 'exit')).toEqual([0, null]);
    expect(main.said()).toMatch(/ready.*parts ended\nstopped/s);
  });

  it('ends a start that waits on SIGTERM, with 0', async () => {
    const main =
      startMain(`${SERVICE}await runMain((signal) => startService({ ...base, signal, dependencies: [{ name: 'kafka',
      check: async () => { throw new ClyraError('CLY_LOG_UNREACHABLE', 'no broker', { retry: 'backoff' }); } }] }));`);
    await untilSaid(main, 'waiting for kafka');
    main.child.kill('SIGTERM');
    expect(await once(main.child, 'exit')).toEqual([0, null]);
  });

  it('says what to do and ends with 2 where it cannot start', async () => {
    const main = startMain(`await runMain(async () => { throw new ClyraError('CLY_CONFIG_INVALID', 'set CLYRA_X',
      { retry: 'never' }); });`);
    expect(await once(main.child, 'exit')).toEqual([2, null]);
    expect(main.said()).toBe('CLY_CONFIG_INVALID: set CLYRA_X\n');
  });

  it('ends with 1 and the stack at a bug, and where a part does not stop in time', async () => {
    const bug = startMain(`await runMain(async () => { throw new TypeError('a bug'); });`);
    expect(await once(bug.child, 'exit')).toEqual([1, null]);
    expect(bug.said()).toContain('TypeError: a bug\n    at ');
    const late = startMain(`${SERVICE}await runMain((signal) => startService({ ...base, signal, shutdownDeadlineMs: 200,
      start: async () => () => new Promise(() => {}) }));`);
    await untilSaid(late, 'ready');
    late.child.kill('SIGINT');
    expect(await once(late.child, 'exit')).toEqual([1, null]);
    expect(late.said()).toContain('CLY_SERVICE_STOP_LATE');
  });
});
