// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '@clyra/core/ports/logger';
import { type Environment, loadConfig } from '@clyra/runtime/config/load-config';
import type { ServiceName } from './layout.ts';

export type StartedService = { readonly url: string; close(): Promise<void> };

export type StartService = (env: Environment, options: { readonly logger: Logger }) => Promise<StartedService>;

/** Loaded when needed: a command that starts no service must not load five of them. */
export const SERVICE_STARTERS: Readonly<Record<ServiceName, StartService>> = {
  enforcer: async (env, options) => {
    const { enforcerConfig } = await import('@clyra/enforcer/config');
    const { startEnforcer } = await import('@clyra/enforcer/enforcer.service');
    return startEnforcer(loadConfig(enforcerConfig, env), options);
  },
  intake: async (env, options) => {
    const { intakeConfig } = await import('@clyra/intake/config');
    const { startIntake } = await import('@clyra/intake/intake.service');
    return startIntake(loadConfig(intakeConfig, env), options);
  },
  recorder: async (env, options) => {
    const { recorderConfig } = await import('@clyra/recorder/config');
    const { startRecorder } = await import('@clyra/recorder/recorder.service');
    return startRecorder(loadConfig(recorderConfig, env), options);
  },
  bundler: async (env, options) => {
    const { bundlerConfig } = await import('@clyra/bundler/config');
    const { startBundler } = await import('@clyra/bundler/bundler.service');
    return startBundler(loadConfig(bundlerConfig, env), options);
  },
  attestor: async (env, options) => {
    const { attestorConfig } = await import('@clyra/attestor/config');
    const { startAttestor } = await import('@clyra/attestor/attestor.service');
    return startAttestor(loadConfig(attestorConfig, env), options);
  },
};
