// SPDX-License-Identifier: Apache-2.0
// Run by `make setup`, and wherever services are installed: strips the sources of all services once, so that not even
// their first start needs the compiler that does it, whose memory a process keeps (lean-start.mjs).

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { strippedOnce } from './lean-start.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SKIPPED = /(?:^|\/)(?:node_modules|dist|test-support|testing)(?:\/|$)|\.(?:test|d)\.ts$/;

for (const folder of ['libs', 'services']) {
  for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.ts') && !SKIPPED.test(name)) strippedOnce(readFileSync(join(ROOT, folder, name), 'utf8'));
  }
}
