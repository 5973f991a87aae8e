// SPDX-License-Identifier: Apache-2.0
import { runMain } from '@clyra/runtime/run-main';
import { loadEnforcerConfig } from './config.ts';
import { startEnforcer } from './enforcer.service.ts';

await runMain(async (signal) => startEnforcer(loadEnforcerConfig(), { signal }));
