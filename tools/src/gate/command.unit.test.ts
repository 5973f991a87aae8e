// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type Command, runCommand } from './command.ts';

const script = (source: string, more: Partial<Command> = {}): Command => ({
  argv: [process.execPath, '-e', source],
  cwd: tmpdir(),
  env: { ...process.env, NODE_OPTIONS: '' },
  deadlineMs: 10_000,
  output: 'capture',
  ...more,
});

const FOR_EVER = 'setInterval(() => {}, 1000)';

describe('a command of the gate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clyra-command-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('tells its exit code and what it printed', async () => {
    const end = await runCommand(script('process.stdout.write("out"); process.exitCode = 3'));
    expect(end).toMatchObject({ why: 'exited', exitCode: 3, stdout: 'out' });
  });

  it('is stopped at its deadline, with what it started', async () => {
    const child = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(FOR_EVER)}], { stdio: 'inherit' })`;
    const end = await runCommand(script(child, { deadlineMs: 700 }));
    // The pipe closes only when the grandchild, which holds it open, is gone too.
    expect(end).toMatchObject({ why: 'deadline', exitCode: null });
  });

  it('is stopped when its result is there and it does not exit', async () => {
    const doneFile = join(folder, 'done');
    const source = `require('fs').writeFileSync(${JSON.stringify(doneFile)}, ''); ${FOR_EVER}`;
    const end = await runCommand(script(source, { doneFile, lingerMsMax: 100 }));
    expect(end.why).toBe('lingered');
  });

  it('says so when it cannot be started', async () => {
    const end = await runCommand({ ...script(''), argv: ['clyra-no-such-command'] });
    expect(end).toMatchObject({ why: 'not-started', exitCode: null });
  });
});
