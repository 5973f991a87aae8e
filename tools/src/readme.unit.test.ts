// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readSources } from './tidy/read-sources.ts';

const ROOT = join(import.meta.dirname, '../..');
const pages = readSources(ROOT).filter(({ path }) => path.endsWith('.md'));

type Named = { readonly page: string; readonly name: string };

/** Matches inside code only: prose may say "make sure" or "clyra". */
function inCode(pattern: RegExp): Named[] {
  return pages.flatMap(({ path, text }) =>
    codeOf(text).flatMap((code) => [...code.matchAll(pattern)].map(([, name]) => ({ page: path, name: name ?? '' }))),
  );
}

function codeOf(text: string): string[] {
  const fence = /^```[^\n]*\n([\s\S]*?)^```/gm;
  const blocks = [...text.matchAll(fence)].map(([, block]) => block ?? '');
  const spans = [...text.replaceAll(fence, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span ?? '');
  return [...blocks, ...spans];
}

describe('the pages', () => {
  it('are there, and so is what each relative link leads to', () => {
    expect(pages.map(({ path }) => path)).toEqual(expect.arrayContaining(['README.md', 'docs/spec/records.md']));
    const links = pages.flatMap(({ path, text }) =>
      [...text.replaceAll(/`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => ({
        page: path,
        target: target ?? '',
      })),
    );
    const broken = links.filter(({ page, target }) => !/^[a-z]+:/.test(target) && !leads(page, target));
    expect(links.length).toBeGreaterThan(30);
    expect(broken).toEqual([]);
  });

  it('name files of this repository that exist', () => {
    const paths = inCode(/^((?:libs|services|cli|compose|docs|schemas|verifiers|packs|test|tools)\/[\w.*/-]+)$/g);
    expect(paths.length).toBeGreaterThan(30);
    expect(paths.filter(({ name }) => !exists(name))).toEqual([]);
  });

  it('name targets that the Makefile has', () => {
    const makefile = readFileSync(join(ROOT, 'Makefile'), 'utf8');
    const targets = /^\.PHONY: (.*)$/m.exec(makefile)?.[1]?.split(' ') ?? [];
    const named = inCode(/^\s*make ([a-z-]+)/gm);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(({ name }) => !targets.includes(name))).toEqual([]);
  });

  it('name commands that the command line has (docs/reference/cli.md, which a test compares with it)', () => {
    const reference = readFileSync(join(ROOT, 'docs/reference/cli.md'), 'utf8');
    const commands = [...reference.matchAll(/^## clyra (.+)$/gm)].map(([, name]) => name ?? '');
    const named = inCode(/^\s*(?:cli\/bin\/)?clyra ((?:[a-z-]+)(?: [a-z]+)?)/gm).filter(
      ({ name }) => !name.startsWith('-'),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ name }) => !isCommand(commands, name))).toEqual([]);
  });
});

/** `run open` is one, `explain EVENT` is `explain` with an argument, and `reference` is for maintainers. */
function isCommand(commands: readonly string[], named: string): boolean {
  const [first = ''] = named.split(' ');
  if (first === 'reference') return true;
  const group = commands.filter((command) => command.split(' ')[0] === first);
  return group.some((command) => command === first || command === named || named === first);
}

function leads(page: string, target: string): boolean {
  const file = target.split('#')[0] ?? '';
  return file === '' || existsSync(join(ROOT, dirname(page), file));
}

function exists(path: string): boolean {
  const [before = '', after] = path.split('/*/');
  if (after === undefined) return path.includes('*') || existsSync(join(ROOT, path));
  return readdirSync(join(ROOT, before)).some((name) => existsSync(join(ROOT, before, name, after)));
}
