// SPDX-License-Identifier: Apache-2.0
// `npm ci` refuses a lock file that lacks a platform's optional package, and `npm install` leaves one out when the
// registry it asked does not carry it. This adds what is missing: the version is the exact one its parent pins, the
// platform is in its name. Usage: node tools/complete-lock.mjs [--check]

import { readFileSync, writeFileSync } from 'node:fs';

const LOCK = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const PROCESSORS = ['arm64', 'x64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x'];
const EXACT_VERSION = /^\d+\.\d+\.\d+/;

function entryFor(name, version, parent) {
  const words = name.split(/[-/]/);
  const os = SYSTEMS.find((word) => words.includes(word));
  const cpu = PROCESSORS.find((word) => words.includes(word));
  if (os === undefined || cpu === undefined) return undefined;
  const libc = words.at(-1).startsWith('musl') ? 'musl' : words.at(-1).startsWith('gnu') ? 'glibc' : undefined;
  return {
    version,
    cpu: [cpu],
    ...(parent.dev ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    os: [os],
  };
}

function missingEntries(packages) {
  const missing = new Map();
  for (const [path, parent] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const known = packages[`node_modules/${name}`] ?? packages[`${path}/node_modules/${name}`];
      const entry = known || !EXACT_VERSION.test(version) ? undefined : entryFor(name, version, parent);
      if (entry !== undefined) missing.set(`node_modules/${name}`, entry);
    }
  }
  return missing;
}

const lock = JSON.parse(readFileSync(LOCK, 'utf8'));
const missing = missingEntries(lock.packages);
if (missing.size === 0) {
  process.stdout.write('package-lock.json is complete\n');
} else if (process.argv.includes('--check')) {
  process.stdout.write(`package-lock.json lacks ${[...missing.keys()].join(', ')}: run node tools/complete-lock.mjs\n`);
  process.exitCode = 1;
} else {
  const { '': root, ...rest } = { ...lock.packages, ...Object.fromEntries(missing) };
  const sorted = Object.entries(rest).sort(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = { '': root, ...Object.fromEntries(sorted) };
  writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
  process.stdout.write(`added ${missing.size} platform packages to package-lock.json\n`);
}
