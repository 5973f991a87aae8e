// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

export type ActionRun = {
  readonly code: number;
  readonly said: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
};

const MAIN = new URL('../../integrations/github-action/main.mjs', import.meta.url).pathname;
const INPUTS = { bundles: 'bundles/*', 'trust-root': 'trust-root.json', policy: 'policy.json' };

/** Runs the action's entry as a runner does: inputs and files by the environment, nothing else. */
export async function runAction(workspace: string, inputs: Readonly<Record<string, string>> = {}): Promise<ActionRun> {
  const folder = await mkdtemp(join(tmpdir(), 'clyra-action-'));
  try {
    const [output, summary] = ['output', 'summary'].map((name) => join(folder, name)) as [string, string];
    const given = Object.entries({ ...INPUTS, ...inputs }).map(([name, value]) => [
      `INPUT_${name.toUpperCase()}`,
      value,
    ]);
    const child = spawn(process.execPath, [MAIN], {
      env: {
        ...Object.fromEntries(given),
        PATH: '/usr/bin:/bin',
        GITHUB_WORKSPACE: workspace,
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    const lines = (await readFile(output, 'utf8')).trimEnd().split('\n');
    return {
      code: code ?? -1,
      said: Buffer.concat(said).toString('utf8'),
      outputs: Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      ),
      summary: await readFile(summary, 'utf8'),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
