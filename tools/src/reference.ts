// SPDX-License-Identifier: Apache-2.0
// Writes every page of docs/reference: `make docs`. Tests compare the pages with their sources.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { referencePages } from './reference/pages.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Pages that need the program itself: commands and settings are declared there. */
const FROM_THE_COMMAND_LINE = ['config', 'cli'];

function write(name: string, text: string): void {
  writeFileSync(join(ROOT, 'docs/reference', name), text);
  process.stdout.write(`docs/reference/${name}\n`);
}

for (const [name, text] of Object.entries(referencePages(ROOT))) write(name, text);
for (const page of FROM_THE_COMMAND_LINE) {
  const text = execFileSync(join(ROOT, 'cli/bin/clyra'), ['reference', page], { encoding: 'utf8', timeout: 60_000 });
  write(`${page}.md`, text);
}
