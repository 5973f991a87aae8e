// SPDX-License-Identifier: Apache-2.0
import { runMain } from '@clyra/runtime/run-main';
import { loadRecorderConfig } from './config.ts';
import { startRecorder } from './recorder.service.ts';

await runMain(async (signal) => startRecorder(loadRecorderConfig(), { signal }), { givesBackAtRest: true });
