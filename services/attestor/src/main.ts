// SPDX-License-Identifier: Apache-2.0
import { runMain } from '@clyra/runtime/run-main';
import { startAttestor } from './attestor.service.ts';
import { loadAttestorConfig } from './config.ts';

await runMain(async (signal) => startAttestor(loadAttestorConfig(), { signal }));
