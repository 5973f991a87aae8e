// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inheritedEnvironment } from '@clyra/cli/config';
import type { OidcPlan } from '../../standins/oidc/oidc-server.ts';
import { REPOSITORY } from '../run-clyra.ts';

const MAIN = 'test/standins/oidc/oidc-server-main.ts';

/** The OpenID Connect server as a process of its own; it ends with this one, however that ends. */
export async function startOidcProcess(plan: OidcPlan): Promise<{ readonly issuer: string; close(): Promise<void> }> {
  const child = spawn('node', ['--conditions=@clyra/source', MAIN, JSON.stringify(plan)], {
    cwd: REPOSITORY,
    env: inheritedEnvironment(),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [issuer] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    issuer,
    close: async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}
