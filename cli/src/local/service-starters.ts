// SPDX-License-Identifier: Apache-2.0
import { startAttestor } from '@clyra/attestor/attestor.service';
import { attestorConfig } from '@clyra/attestor/config';
import { startBundler } from '@clyra/bundler/bundler.service';
import { bundlerConfig } from '@clyra/bundler/config';
import type { Logger } from '@clyra/core/ports/logger';
import { enforcerConfig } from '@clyra/enforcer/config';
import { startEnforcer } from '@clyra/enforcer/enforcer.service';
import { intakeConfig } from '@clyra/intake/config';
import { startIntake } from '@clyra/intake/intake.service';
import { recorderConfig } from '@clyra/recorder/config';
import { startRecorder } from '@clyra/recorder/recorder.service';
import { type Environment, loadConfig } from '@clyra/runtime/config/load-config';
import type { ServiceName } from './layout.ts';

export type StartedService = { readonly url: string; close(): Promise<void> };

export type StartService = (env: Environment, options: { readonly logger: Logger }) => Promise<StartedService>;

/** Imported only where services are started in this process: other commands must not load five of them. */
export const SERVICE_STARTERS: Readonly<Record<ServiceName, StartService>> = {
  enforcer: (env, options) => startEnforcer(loadConfig(enforcerConfig, env), options),
  intake: (env, options) => startIntake(loadConfig(intakeConfig, env), options),
  recorder: (env, options) => startRecorder(loadConfig(recorderConfig, env), options),
  bundler: (env, options) => startBundler(loadConfig(bundlerConfig, env), options),
  attestor: (env, options) => startAttestor(loadConfig(attestorConfig, env), options),
};
