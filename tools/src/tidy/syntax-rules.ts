// SPDX-License-Identifier: Apache-2.0
import ts from 'typescript';
import { type Finding, isTestFile, lineOf, type SourceText } from './finding.ts';

type Hit = { readonly rule: string; readonly node: ts.Node; readonly message: string };

/** Constructs we do without, found in the syntax tree and not in the text, so that a string may name them. */
export function bannedSyntax(source: SourceText): readonly Finding[] {
  const { syntax } = source;
  if (syntax === undefined) return [];
  const hits: Hit[] = [...barrels(source, syntax)];
  const visit = (node: ts.Node): void => {
    hits.push(...defaultExports(node), ...mocks(node), ...consoles(source, node));
    ts.forEachChild(node, visit);
  };
  visit(syntax);
  return hits.map(({ rule, node, message }) => ({
    rule,
    path: source.path,
    line: lineOf(source, node.getStart()),
    measured: 1,
    message,
  }));
}

function defaultExports(node: ts.Node): readonly Hit[] {
  const isDefault =
    (ts.isExportAssignment(node) && node.isExportEquals !== true) || node.kind === ts.SyntaxKind.DefaultKeyword;
  const inSwitch = node.parent !== undefined && ts.isDefaultClause(node);
  if (!isDefault || inSwitch) return [];
  return [{ rule: 'default-export', node, message: 'export it by name, so that it is called the same everywhere' }];
}

function barrels(source: SourceText, syntax: ts.SourceFile): readonly Hit[] {
  const reExports = syntax.statements.filter(
    (statement) => ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined,
  );
  const onlyReExports = reExports.length > 0 && reExports.length === syntax.statements.length;
  const wildcard = reExports.find((statement) => ts.isExportDeclaration(statement) && !statement.exportClause);
  const node = onlyReExports || /(^|\/)index\.ts$/.test(source.path) ? reExports[0] : wildcard;
  if (node === undefined) return [];
  return [{ rule: 'barrel', node, message: 'import from the file that holds the thing: @clyra/<package>/<path>' }];
}

function mocks(node: ts.Node): readonly Hit[] {
  if (!ts.isCallExpression(node) || node.expression.getText() !== 'jest.mock') return [];
  const message = 'it does nothing under ESM: pass a fake through the port instead';
  return [{ rule: 'module-mock', node, message }];
}

function consoles(source: SourceText, node: ts.Node): readonly Hit[] {
  const judged = /^(libs|services)\//.test(source.path) && !isTestFile(source.path);
  if (!judged || !ts.isPropertyAccessExpression(node) || node.expression.getText() !== 'console') return [];
  return [
    { rule: 'console', node, message: 'take a logger as an argument, so that the caller decides where text goes' },
  ];
}

const UNFINISHED = /\b(TODO|FIXME|XXX|HACK)\b/;
const DECISION = /ADR[- ]?\d{4}/;

/** What is left to do is written down as a decision, or done. Looks at comments only. */
export function unfinishedWork(source: SourceText): readonly Finding[] {
  const { syntax } = source;
  if (syntax === undefined) return [];
  return comments(syntax)
    .filter(({ text }) => UNFINISHED.test(text) && !DECISION.test(text))
    .map(({ position }) => ({
      rule: 'unfinished-work',
      path: source.path,
      line: lineOf(source, position),
      measured: 1,
      message: 'do it now, or write an ADR under docs/adr and name its number here',
    }));
}

function comments(syntax: ts.SourceFile): readonly { readonly position: number; readonly text: string }[] {
  const text = syntax.getFullText();
  const ranges = new Map<number, number>();
  const visit = (node: ts.Node): void => {
    for (const range of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []) ranges.set(range.pos, range.end);
    for (const range of ts.getTrailingCommentRanges(text, node.getEnd()) ?? []) ranges.set(range.pos, range.end);
    for (const child of node.getChildren(syntax)) visit(child);
  };
  visit(syntax);
  return [...ranges].map(([position, end]) => ({ position, text: text.slice(position, end) }));
}
