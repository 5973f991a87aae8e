// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Logger } from '@clyra/core/ports/logger';
import { type Environment, loadConfig } from '@clyra/runtime/config/load-config';
import type { ServiceName } from './layout.ts';

export type StartedService = { readonly url: string; close(): Promise<void> };

export type StartService = (env: Environment, options: { readonly logger: Logger }) => Promise<StartedService>;

/** Loaded when needed: a command that starts no service must not load five of them. */
export const SERVICE_STARTERS: Readonly<Record<ServiceName, StartService>> = {
  enforcer: async (env, options) => {
    const [{ enforcerConfig }, { startEnforcer }] = await Promise.all([
      import('@clyra/enforcer/config'),
      import('@clyra/enforcer/enforcer.service'),
    ]);
    return startEnforcer(loadConfig(enforcerConfig, env), options);
  },
  intake: notThere('intake'),
  recorder: notThere('recorder'),
  bundler: notThere('bundler'),
  attestor: notThere('attestor'),
};

function notThere(name: ServiceName): StartService {
  return async () => {
    throw new ClyraError('CLY_LOCAL_SERVICE', `the ${name} cannot be started in this process yet`, { retry: 'never' });
  };
}
