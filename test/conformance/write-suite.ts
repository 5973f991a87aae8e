// SPDX-License-Identifier: Apache-2.0
// Writes schemas/vectors/bundles: `node --conditions=@clyra/source test/conformance/write-suite.ts`. What it writes follows
// from the cases alone, and a test makes it again. It refuses a case whose verdict is not the one its author asked for.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ALL_CASES } from './all-cases.ts';
import { caseJson, filesOf, isWanted, readmeOf, SUITE_FOLDER, sharedFiles, verdictOf } from './suite-files.ts';

function put(path: string, content: string | Uint8Array): void {
  const file = join(SUITE_FOLDER, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

for (const entry of readdirSync(SUITE_FOLDER, { withFileTypes: true })) {
  if (entry.isDirectory() && entry.name !== '_keys') {
    rmSync(join(SUITE_FOLDER, entry.name), { recursive: true });
  }
}
for (const [name, content] of sharedFiles()) {
  put(name, content);
}
const scratch = mkdtempSync(join(tmpdir(), 'clyra-suite-'));
let bad = 0;
for (const one of ALL_CASES) {
  const { files, about } = filesOf(one);
  for (const [name, content] of files) {
    put(`${one.name}/${name}`, content);
  }
  const folder = join(SUITE_FOLDER, one.name);
  const verdict = await verdictOf({ ...about, folder, expect: { exit_code: 0, claims: [] } }, scratch);
  put(`${one.name}/case.json`, caseJson(about, verdict));
  put(`${one.name}/README.md`, readmeOf(one, verdict));
  if (!isWanted(one, verdict)) {
    bad += 1;
    const shown = verdict.claims.filter(([, status]) => status !== 'PASS' && status !== 'ABSENT');
    process.stderr.write(
      `${one.name}: wanted ${JSON.stringify(one.wanted)}, got exit ${verdict.exit_code} ${JSON.stringify(shown)}\n`,
    );
  }
}
rmSync(scratch, { recursive: true });
process.stdout.write(`${ALL_CASES.length} cases written, ${bad} not as wanted\n`);
process.exitCode = bad === 0 ? 0 : 1;
