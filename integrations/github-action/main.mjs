// SPDX-License-Identifier: Apache-2.0
import { appendFile, glob, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';
import { badge } from './badge.mjs';
import { settingsOf } from './config.mjs';
import { errorLine, summary } from './report.mjs';
import { judge } from './verify.mjs';

const settings = settingsOf();

async function bundlesOf(patterns) {
  const found = new Set();
  for (const pattern of patterns) {
    if (!/[*?[]/.test(pattern)) found.add(pattern);
    else for await (const path of glob(pattern, { cwd: settings.workspace })) found.add(path);
  }
  return [...found].sort();
}

/** To a file of the runner; without a runner there is none. */
async function tell(file, text) {
  if (file !== undefined && file !== '') await appendFile(file, text);
}

const judged = [];
for (const path of await bundlesOf(settings.patterns)) {
  judged.push({ path, ...(await judge(settings.inWorkspace(path), settings)) });
}
const worst = judged.find(({ verdict }) => verdict !== 'valid');
const verdict = judged.length === 0 ? 'no_bundle' : worst === undefined ? 'verified' : worst.verdict;

const badgeFile = settings.inWorkspace(settings.badge);
await mkdir(dirname(badgeFile), { recursive: true });
await writeFile(badgeFile, badge({ verdict, judged }));
await tell(settings.summaryFile, summary({ verdict, judged }));
const outputs = { verified: verdict === 'verified', verdict, bundles: judged.length, badge: settings.badge };
await tell(
  settings.outputFile,
  Object.entries(outputs)
    .map(([name, value]) => `${name}=${value}\n`)
    .join(''),
);
if (judged.length === 0) process.stdout.write('::error::no bundle was found: look at the input `bundles`\n');
for (const one of judged) process.stdout.write(errorLine(one));
process.stdout.write(`${judged.length} bundles: ${verdict}\n`);
process.exitCode = verdict === 'verified' ? 0 : 1;
