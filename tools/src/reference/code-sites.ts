// SPDX-License-Identifier: Apache-2.0
import ts from 'typescript';
import { isTestFile, type SourceText } from '../tidy/finding.ts';
import { memberOf, textOf } from './literal-text.ts';

/** One place that gives a code to somebody. Comparisons, types and tables about codes are none. */
export type CodeSite = {
  readonly code: string;
  readonly path: string;
  /** Constructed as an error; otherwise an answer: a reason, a refusal, a finding. */
  readonly isThrown: boolean;
  readonly message: string | undefined;
  readonly retry: string | undefined;
  /** Of a verifier's finding. */
  readonly claim: string | undefined;
};

const CODE = /^CLY_[A-Z0-9]+(?:_[A-Z0-9]+)*$/;
const PRODUCT = /^(?:libs|services|cli|compose|verifiers|packs)\//;
/** Test doubles, and tables that say something about codes of others. */
const LEFT_OUT =
  /^libs\/testing\/|\/(?:test-support|testing)\/|^cli\/src\/(?:exit-codes|explain\/reason-words)\.ts$|^libs\/core\/src\/enforcement\/threat-map\.ts$/;

export function codeSites(sources: readonly SourceText[]): readonly CodeSite[] {
  return sources
    .filter(({ path }) => PRODUCT.test(path) && !LEFT_OUT.test(path) && !isTestFile(path))
    .flatMap(({ path, syntax }) => (syntax === undefined ? [] : sitesIn(path, syntax)));
}

function sitesIn(path: string, syntax: ts.SourceFile): readonly CodeSite[] {
  const sites: CodeSite[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && CODE.test(node.text) && isGiven(node)) sites.push(siteOf(path, node));
    ts.forEachChild(node, visit);
  };
  visit(syntax);
  return sites;
}

function isGiven(literal: ts.Node): boolean {
  const { parent } = literal;
  if (ts.isLiteralTypeNode(parent) || ts.isCaseClause(parent) || isTableEntry(parent)) return false;
  if (!ts.isBinaryExpression(parent)) return true;
  return parent.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken;
}

/** `[['CLY_…', 401, …], …]` says something about a code; whoever gives it stands elsewhere. */
function isTableEntry(parent: ts.Node): boolean {
  return ts.isArrayLiteralExpression(parent) && ts.isArrayLiteralExpression(parent.parent);
}

function siteOf(path: string, literal: ts.StringLiteralLike): CodeSite {
  const outer = wholeExpression(literal);
  const site = { code: literal.text, path, isThrown: false, message: undefined, retry: undefined, claim: undefined };
  const { parent } = outer;
  if (isCall(parent)) return { ...site, ...ofCall(parent, outer, literal) };
  if (ts.isArrayLiteralExpression(parent)) return { ...site, message: textOf(parent.elements[1]) };
  if (ts.isPropertyAssignment(parent) && ts.isObjectLiteralExpression(parent.parent)) {
    return { ...site, ...ofObject(parent.parent) };
  }
  return site;
}

/** A code may be one arm of a choice: what is called is called with the whole choice. */
function wholeExpression(node: ts.Expression): ts.Expression {
  const { parent } = node;
  const transparent =
    ts.isConditionalExpression(parent) ||
    ts.isParenthesizedExpression(parent) ||
    ts.isAsExpression(parent) ||
    ts.isBinaryExpression(parent);
  return transparent ? wholeExpression(parent) : node;
}

type Call = ts.NewExpression | ts.CallExpression;

function isCall(node: ts.Node): node is Call {
  return ts.isNewExpression(node) || ts.isCallExpression(node);
}

function ofCall(call: Call, code: ts.Expression, literal: ts.Expression): Partial<CodeSite> {
  const all = [...(call.arguments ?? [])];
  const next = all.slice(all.indexOf(code) + 1);
  const facts = next.find(ts.isObjectLiteralExpression);
  const name = call.expression.getText();
  return {
    isThrown: ts.isNewExpression(call) || name === 'super',
    message: textOf(
      sameArm(
        next.find((argument) => !ts.isObjectLiteralExpression(argument)),
        code,
        literal,
      ),
    ),
    retry: facts === undefined ? retryOf(name) : textOf(memberOf(facts, 'retry')),
  };
}

/** `new ClyraError(x ? A : B, x ? a : b)`: the text of B is b. */
function sameArm(
  text: ts.Expression | undefined,
  code: ts.Expression,
  literal: ts.Expression,
): ts.Expression | undefined {
  if (text === undefined || !ts.isConditionalExpression(text) || !ts.isConditionalExpression(code)) return text;
  if (text.condition.getText() !== code.condition.getText()) return text;
  return literal.pos < code.whenFalse.pos ? text.whenTrue : text.whenFalse;
}

function retryOf(callee: string): string | undefined {
  return /JsonError$/.test(callee) ? 'never' : undefined;
}

function ofObject(object: ts.ObjectLiteralExpression): Partial<CodeSite> {
  const retry = textOf(memberOf(object, 'retry'));
  const severity = textOf(memberOf(object, 'severity'));
  return {
    isThrown: retry !== undefined || severity !== undefined,
    message: textOf(memberOf(object, 'message') ?? memberOf(object, 'advice') ?? memberOf(object, 'text')),
    retry: retry ?? (severity === 'refuse' ? 'never' : undefined),
    claim: textOf(memberOf(object, 'claim')),
  };
}
