// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { getuid } from 'node:process';
import { runCommand } from './command.ts';
import type { GateConfig } from './config.ts';
import { failedStep, type StepResult } from './step.ts';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const APT = '/usr/bin/apt-get';
const INSTALL_MS_MAX = 600_000;

/** Installs Debian's Chromium where there is none and we may; undefined once there is one, else what to do about it. */
export async function chromiumProblem({ root: cwd, env }: GateConfig): Promise<StepResult | undefined> {
  const isThere = (): boolean =>
    [env['CLYRA_CHROMIUM'] ?? '', ...PLACES].some((path) => path !== '' && existsSync(path));
  if (isThere()) return undefined;
  const advice = 'there is no Chromium: install it (Debian: apt-get install chromium), or set CLYRA_CHROMIUM';
  if (getuid?.() !== 0 || !existsSync(APT)) return failedStep('browser', 0, advice);
  const started = performance.now();
  for (const action of [['update'], ['install', '--yes', '--no-install-recommends', 'chromium']]) {
    const argv = [APT, '-qq', ...action] as const;
    const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
    await runCommand({ argv, cwd, env: quiet, deadlineMs: INSTALL_MS_MAX, output: 'show' });
  }
  return isThere() ? undefined : failedStep('browser', performance.now() - started, advice);
}
