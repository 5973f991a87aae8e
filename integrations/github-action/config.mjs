// SPDX-License-Identifier: Apache-2.0
import { isAbsolute, join } from 'node:path';
import process from 'node:process';

/** The runner passes an input as INPUT_<NAME>, in upper case, with its hyphens. */
const input = (name) => (process.env[`INPUT_${name.toUpperCase()}`] ?? '').trim();
const lines = (text) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** What the workflow and the runner say. Paths are absolute, but for the patterns. */
export function settingsOf() {
  const workspace = process.env.GITHUB_WORKSPACE ?? process.cwd();
  const inWorkspace = (path) => (isAbsolute(path) ? path : join(workspace, path));
  const file = (name) => (input(name) === '' ? undefined : inWorkspace(input(name)));
  const badge = input('badge') === '' ? 'evidence.svg' : input('badge');
  return {
    workspace,
    inWorkspace,
    patterns: lines(input('bundles')),
    trustRoot: file('trust-root'),
    policy: file('policy'),
    mode: input('mode') === '' ? 'full' : input('mode'),
    others: lines(input('verifier')),
    badge,
    outputFile: process.env.GITHUB_OUTPUT,
    summaryFile: process.env.GITHUB_STEP_SUMMARY,
  };
}
