// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');

/** The rows of a page's tables: cells without their code marks, links as their targets. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const LINK = /^\[([^\]]+)\]\(([^)]+)\)$/;
const path = rows.flatMap(([number, file, symbol, text]) => {
  const link = LINK.exec(file ?? '');
  if (!/^\d$/.test(number ?? '') || link === null) return [];
  return [
    {
      number: Number(number),
      shown: link[1] ?? '',
      file: link[2] ?? '',
      symbol: symbol?.replaceAll('`', '') ?? '',
      text,
    },
  ];
});

/** What a file exports, a class's methods as `Class.method`. */
function exportedSymbols(file: string): readonly string[] {
  const syntax = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.Latest, true);
  return syntax.statements.flatMap((statement) => {
    const isExported = ts.canHaveModifiers(statement)
      ? ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true
      : false;
    if (!isExported) return [];
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(({ name }) => name.getText());
    if (ts.isClassDeclaration(statement)) {
      const name = statement.name?.text ?? '';
      return [name, ...statement.members.map((member) => `${name}.${member.name?.getText() ?? ''}`)];
    }
    return ts.isFunctionDeclaration(statement) ? [statement.name?.text ?? ''] : [];
  });
}

describe('ARCHITECTURE.md', () => {
  it('follows one change in eight files', () => {
    expect(path.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(page.split('\n').length).toBeLessThanOrEqual(151);
  });

  it.each(path)('$number: $file exports $symbol', ({ shown, file, symbol, text }) => {
    expect(shown).toBe(file);
    expect(existsSync(join(ROOT, file))).toBe(true);
    expect(exportedSymbols(file)).toContain(symbol);
    expect(text).toMatch(/\.$/);
  });

  it('reads symbols well enough to miss one', () => {
    const symbols = exportedSymbols('services/intake/src/gateway/gateway.ts');
    expect(symbols).toEqual(expect.arrayContaining(['Gateway', 'Gateway.stop']));
    expect(symbols).not.toContain('isMoved');
  });

  it('says the directions of imports as they are checked', () => {
    const load = createRequire(import.meta.url);
    const { forbidden } = load(join(ROOT, '.dependency-cruiser.cjs')) as {
      forbidden: { name: string; comment: string }[];
    };
    const checked = forbidden.flatMap(({ name, comment }) => {
      const layer = /^([a-z]+)-imports$/.exec(name)?.[1];
      const allowed = /of ours only: ([a-z, ]+)\./.exec(comment)?.[1];
      return layer === undefined || allowed === undefined ? [] : [[layer, allowed.split(', ').slice(1)] as const];
    });
    expect(checked.length).toBeGreaterThan(8);
    for (const [layer, allowed] of checked) {
      const told = rows.find(([name, , more]) => name === layer && more === undefined)?.[1];
      expect([layer, told]).toEqual([layer, allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')]);
    }
  });
});
