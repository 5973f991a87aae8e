// SPDX-License-Identifier: Apache-2.0
import { runMain } from '@clyra/runtime/run-main';
import { loadIntakeConfig } from './config.ts';
import { startIntake } from './intake.service.ts';

await runMain(async (signal) => startIntake(loadIntakeConfig(), { signal }));
