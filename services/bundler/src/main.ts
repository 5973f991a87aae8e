// SPDX-License-Identifier: Apache-2.0
import { runMain } from '@clyra/runtime/run-main';
import { startBundler } from './bundler.service.ts';
import { loadBundlerConfig } from './config.ts';

await runMain(async (signal) => startBundler(loadBundlerConfig(), { signal }));
