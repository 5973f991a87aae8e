// SPDX-License-Identifier: Apache-2.0
// Run by `make setup` with whatever Node the machine has, before anything is installed: plain JavaScript, no packages.
// Checks what the host must bring, all problems at once, then installs the packages if what is installed differs from the lock file.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const HOST_NEEDS = [
  {
    tool: 'node',
    versionArgs: ['--version'],
    pattern: /v(\d+)\.(\d+)/,
    minimum: [20, 0],
    get: 'install Node.js 20 or newer (nodejs.org, nvm, or your package manager); Node 24 itself comes with the packages',
  },
  {
    tool: 'npm',
    versionArgs: ['--version'],
    pattern: /(\d+)\.(\d+)/,
    minimum: [10, 0],
    get: 'npm comes with Node.js; update it with: npm install -g npm',
  },
  {
    tool: 'java',
    versionArgs: ['-version'],
    pattern: /version "(\d+)(?:\.(\d+))?/,
    minimum: [17, 0],
    get: 'install a Java 17 or newer runtime (Debian: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17)',
  },
  {
    tool: 'mvn',
    versionArgs: ['--version'],
    pattern: /Maven (\d+)\.(\d+)/,
    minimum: [3, 6],
    get: "install Maven 3.6 or newer, it fetches Kafka's jars (Debian: apt install maven; macOS: brew install maven)",
  },
  {
    tool: 'go',
    versionArgs: ['version'],
    pattern: /go(\d+)\.(\d+)/,
    minimum: [1, 22],
    get: 'install Go 1.22 or newer, the second verifier is written in it (go.dev/dl; macOS: brew install go)',
  },
  {
    tool: 'python3',
    versionArgs: ['--version'],
    pattern: /Python (\d+)\.(\d+)/,
    minimum: [3, 11],
    get: 'install Python 3.11 or newer (Debian: apt install python3; macOS: brew install python@3.12)',
  },
];

/** Returns one line that says what is wrong and how to get it, or undefined. */
function problemWith({ tool, versionArgs, pattern, minimum, get }) {
  const run = spawnSync(tool, versionArgs, { encoding: 'utf8', timeout: 60_000 });
  if (run.error !== undefined) return `${tool} was not found: ${get}`;
  const output = `${run.stdout}${run.stderr}`;
  const match = pattern.exec(output);
  if (match === null) return `${tool} did not tell its version (it said: ${output.trim().slice(0, 120)}): ${get}`;
  const [major, minor] = [Number(match[1]), Number(match[2] ?? 0)];
  const enough = major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
  return enough ? undefined : `${tool} is ${major}.${minor}, needed is ${minimum.join('.')}: ${get}`;
}

/** True if every package that is installed is the one the lock file names, and none that this platform needs is absent. */
function packagesAreInstalled() {
  const installedLock = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(installedLock)) return false;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedLock, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const found = installed[path];
    return found === undefined ? entry.optional === true : found.version === entry.version;
  });
}

const problems = HOST_NEEDS.map(problemWith).filter((problem) => problem !== undefined);
if (problems.length > 0) {
  process.stderr.write(`This machine lacks what Clyra needs:\n${problems.map((line) => `  - ${line}\n`).join('')}`);
  process.exit(1);
}
if (!packagesAreInstalled()) {
  process.stdout.write('Installing packages (npm ci)…\n');
  const npm = spawnSync('npm', ['ci', '--loglevel=error'], { cwd: ROOT, stdio: 'inherit', timeout: 900_000 });
  if (npm.status !== 0) {
    process.stderr.write(
      'npm ci failed, see above. Most often the registry cannot be reached: check your npm settings.\n',
    );
    process.exit(1);
  }
}
