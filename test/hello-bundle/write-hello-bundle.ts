// SPDX-License-Identifier: Apache-2.0
// Writes the made files of packs/hello-bundle: `make docs` runs it, and a test compares.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { helloFiles, TEMPLATE, writeAll } from './hello-bundle.ts';

await rm(join(TEMPLATE, 'bundles'), { recursive: true, force: true });
await writeAll(TEMPLATE, await helloFiles());
