// SPDX-License-Identifier: Apache-2.0
import ts from 'typescript';
import { type Finding, isTestFile, lineOf, type SourceText } from './finding.ts';

export const LIMITS = {
  fileLinesMax: 400,
  functionLinesMax: 60,
  parameterCountMax: 3,
  fileLinesMedianMax: 90,
  fileLinesP95Max: 250,
};

export const lineCount = (source: SourceText): number => source.text.replace(/\n$/, '').split('\n').length;

export function fileLength(source: SourceText): readonly Finding[] {
  if (source.syntax === undefined) return [];
  const measured = lineCount(source);
  if (measured <= LIMITS.fileLinesMax) return [];
  const message = `${measured} lines, at most ${LIMITS.fileLinesMax}: it holds more than one concept, give each a file`;
  return [{ rule: 'file-length', path: source.path, line: 1, measured, message }];
}

/** Length and parameters of each function. A test suite's callback is a list of tests, not a function to follow. */
export function functionSize(source: SourceText): readonly Finding[] {
  const { syntax } = source;
  if (syntax === undefined) return [];
  const findings: Finding[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) findings.push(...judge(source, node));
    ts.forEachChild(node, visit);
  };
  visit(syntax);
  return findings;
}

function judge(source: SourceText, node: ts.SignatureDeclaration): readonly Finding[] {
  const name = nameOf(node);
  const line = lineOf(source, node.getStart());
  const lines = lineOf(source, node.getEnd()) - line + 1;
  const parameters = node.parameters.filter((parameter) => parameter.name.getText() !== 'this').length;
  const at = { path: source.path, name, line };
  const findings: Finding[] = [];
  if (lines > LIMITS.functionLinesMax && !isSuite(source, node)) {
    const message = `${name} has ${lines} lines, at most ${LIMITS.functionLinesMax}: name its steps as functions`;
    findings.push({ rule: 'function-length', ...at, measured: lines, message });
  }
  // Who is called decides what a callback takes: a property its arbitraries, a table of cases its columns.
  if (parameters > LIMITS.parameterCountMax && !ts.isCallExpression(node.parent)) {
    const message = `${name} has ${parameters} parameters, at most ${LIMITS.parameterCountMax}: take one options object`;
    findings.push({ rule: 'parameter-count', ...at, measured: parameters, message });
  }
  return findings;
}

function isSuite(source: SourceText, node: ts.SignatureDeclaration): boolean {
  const suite = /^(describe|.*[cC]ontract)\b/;
  const { parent } = node;
  const passedToSuite = ts.isCallExpression(parent) && suite.test(parent.expression.getText());
  return passedToSuite && (isTestFile(source.path) || source.path.startsWith('libs/testing/'));
}

function nameOf(node: ts.SignatureDeclaration): string {
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  if (node.name !== undefined) return node.name.getText();
  const { parent } = node;
  const holder =
    ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent);
  return holder ? parent.name.getText() : 'a function';
}

/** The shape of all sources together: many small files, few large ones. Tests are left out. */
export function sizeDistribution(sources: readonly SourceText[]): readonly Finding[] {
  const lengths = sources
    .filter((source) => source.syntax !== undefined && !isTestFile(source.path))
    .map(lineCount)
    .sort((a, b) => a - b);
  const quantile = (share: number): number => lengths[Math.ceil(lengths.length * share) - 1] ?? 0;
  const judged = [
    { rule: 'median-file-length', measured: quantile(0.5), max: LIMITS.fileLinesMedianMax },
    { rule: 'p95-file-length', measured: quantile(0.95), max: LIMITS.fileLinesP95Max },
  ];
  return judged
    .filter(({ measured, max }) => measured > max)
    .map(({ rule, measured, max }) => ({
      rule,
      path: 'all sources',
      line: 1,
      measured,
      message: `${measured} lines, at most ${max}: split the longest files by concept`,
    }));
}
