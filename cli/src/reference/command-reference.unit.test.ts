// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli.ts';

const unused = (): never => {
  throw new Error('help needs nothing of the machine');
};

async function printed(args: readonly string[]): Promise<string> {
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text) > 0 };
  const machine = {
    stdout: stream,
    stderr: stream,
    clock: { nowMs: unused, after: unused },
    random: { bytes: unused },
  };
  expect(await runCli(args, machine)).toBe(0);
  return written.join('');
}

describe('docs/reference/cli.md', () => {
  it('says what the program says: write it with `make docs`', async () => {
    const page = readFileSync(new URL('../../../docs/reference/cli.md', import.meta.url), 'utf8');
    expect(await printed(['reference', 'cli'])).toBe(page);
  });

  it('has every command of the help, and none that is hidden', async () => {
    const page = await printed(['reference', 'cli']);
    const help = await printed(['--help']);
    const names = [...help.matchAll(/^ {2}([a-z-]+)(?: \[.*)? {2,}/gm)].map(([, name]) => name ?? '');
    const commands = names.filter((name) => name !== 'help' && !name.startsWith('-'));
    expect(commands.length).toBeGreaterThan(8);
    expect(commands.filter((name) => !page.includes(`\n## clyra ${name}`))).toEqual([]);
    expect(page).not.toContain('clyra reference\n');
  });
});
