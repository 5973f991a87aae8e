// SPDX-License-Identifier: Apache-2.0
import ts from 'typescript';

/**
 * The text that an expression stands for, as far as it can be read without running it; `…` is a value put in at run
 * time. A name is followed to its `const` in the scopes around it, and no further than the file.
 */
export function textOf(expression: ts.Expression | undefined): string | undefined {
  if (expression === undefined) return undefined;
  if (ts.isStringLiteralLike(expression)) return expression.text;
  if (ts.isTemplateExpression(expression)) {
    const spans = expression.templateSpans.map((span) => `${insertedText(span.expression)}${span.literal.text}`);
    return `${expression.head.text}${spans.join('')}`;
  }
  if (ts.isBinaryExpression(expression) && expression.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [textOf(expression.left), textOf(expression.right)];
    return left === undefined || right === undefined ? undefined : left + right;
  }
  if (ts.isParenthesizedExpression(expression)) return textOf(expression.expression);
  if (ts.isConditionalExpression(expression)) return textOf(expression.whenTrue) ?? textOf(expression.whenFalse);
  if (ts.isIdentifier(expression)) return textOf(constantOf(expression));
  return undefined;
}

function insertedText(expression: ts.Expression): string {
  return ts.isIdentifier(expression) ? (textOf(constantOf(expression)) ?? '…') : '…';
}

function constantOf(name: ts.Identifier): ts.Expression | undefined {
  for (let scope: ts.Node | undefined = name.parent; scope !== undefined; scope = scope.parent) {
    if (!ts.isSourceFile(scope) && !ts.isBlock(scope)) continue;
    for (const statement of scope.statements) {
      if (!ts.isVariableStatement(statement)) continue;
      const found = statement.declarationList.declarations.find(
        (declaration) => ts.isIdentifier(declaration.name) && declaration.name.text === name.text,
      );
      if (found !== undefined) return found.initializer;
    }
  }
  return undefined;
}

/** The initializer of a member of an object literal; a shorthand member is its name. */
export function memberOf(object: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  for (const member of object.properties) {
    if (member.name?.getText().replaceAll(/^['"]|['"]$/g, '') !== name) continue;
    if (ts.isPropertyAssignment(member)) return member.initializer;
    if (ts.isShorthandPropertyAssignment(member)) return member.name;
  }
  return undefined;
}
