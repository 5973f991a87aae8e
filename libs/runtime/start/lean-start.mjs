// SPDX-License-Identifier: Apache-2.0
// Loaded before a service (`node --import`), so that a process that runs for months does not hold what only its start
// needs. Node strips types with a compiler in WebAssembly, and its memory stays: here every source is stripped once and
// kept, and later starts read what was kept. Types become blanks, so lines and columns are those of the source.

import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire, registerHooks, stripTypeScriptTypes } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../node_modules/.cache/clyra/stripped/', import.meta.url));
/** A file without it was not written whole. */
const END = '\n// whole\n';

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
    return { format: 'module', source: strippedOnce(readFileSync(fileURLToPath(url), 'utf8')), shortCircuit: true };
  },
});

// `import … from 'node:http'` reads every member of that module, and these three load the platform's whole web client: 3 MB
// and a hundred pages of its program. Nobody here takes them from there; as globals they are what they were.
const http = createRequire(import.meta.url)('node:http');
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) Reflect.deleteProperty(http, name);

/** @param {string} source */
export function strippedOnce(source) {
  const file = `${FOLDER}${hash('sha256', `${process.version}\n${source}`)}.mjs`;
  const kept = readWhole(file);
  if (kept !== undefined) return kept;
  const made = stripTypeScriptTypes(source) + END;
  keep(file, made);
  return made;
}

/** @param {string} file */
function readWhole(file) {
  try {
    const text = readFileSync(file, 'utf8');
    return text.endsWith(END) ? text : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A folder that cannot be written is no fault: the next start strips again.
 * @param {string} file
 * @param {string} text
 */
function keep(file, text) {
  try {
    mkdirSync(FOLDER, { recursive: true });
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, text);
    renameSync(unfinished, file);
  } catch {}
}
