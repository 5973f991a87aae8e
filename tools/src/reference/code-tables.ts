// SPDX-License-Identifier: Apache-2.0
import ts from 'typescript';
import type { SourceText } from '../tidy/finding.ts';
import { memberOf, textOf } from './literal-text.ts';

/** The tables of the product that say something about codes; tools may not import services or the command line. */
const STATUS_TABLE = { path: 'services/intake/src/http-status.ts', name: 'STATUSES' };
const FALLBACK = { path: 'services/intake/src/http-status.ts', name: 'FAIL_CLOSED' };
const WORDS = { path: 'cli/src/explain/reason-words.ts', name: 'WORDS' };
const FAMILIES = { path: 'cli/src/explain/reason-words.ts', name: 'FAMILIES' };

export type HttpStatus = { readonly prefix: string; readonly status: number; readonly title: string };
export type CodeWords = { readonly means: string; readonly next: string };

export type CodeTables = {
  /** In the order in which they are asked: the first prefix that fits says the status. */
  readonly statuses: readonly HttpStatus[];
  readonly otherwise: HttpStatus;
  /** What the command line says of a code: in its own words, or in those of its family. */
  wordsOf(code: string): (CodeWords & { readonly isOfFamily: boolean }) | undefined;
};

export function codeTables(sources: readonly SourceText[]): CodeTables {
  const statuses = elementsOf(constantIn(sources, STATUS_TABLE)).map((entry) => {
    const [prefix, status, title] = elementsOf(entry);
    return statusOf({ prefix: textOf(prefix), status, title });
  });
  const failClosed = objectOf(constantIn(sources, FALLBACK));
  const words = objectOf(constantIn(sources, WORDS));
  const families = elementsOf(constantIn(sources, FAMILIES)).map(elementsOf);
  return {
    statuses,
    otherwise: statusOf({
      prefix: '',
      status: memberOf(failClosed, 'status'),
      title: memberOf(failClosed, 'title'),
    }),
    wordsOf: (code) => {
      const family = families.find(([prefix]) => code.startsWith(textOf(prefix) ?? code.concat('_')))?.[1];
      const own = memberOf(words, code);
      const entry = own ?? family;
      if (entry === undefined) return undefined;
      const [means, next] = ['means', 'next'].map((name) => textOf(memberOf(objectOf(entry), name)));
      return { means: means ?? '', next: next ?? '', isOfFamily: own === undefined };
    },
  };
}

type StatusEntry = {
  readonly prefix: string | undefined;
  readonly status: ts.Expression | undefined;
  readonly title: ts.Expression | undefined;
};

function statusOf({ prefix, status, title }: StatusEntry): HttpStatus {
  const number = Number(status?.getText());
  const text = textOf(title);
  if (prefix === undefined || text === undefined || !Number.isInteger(number)) {
    throw new Error(`${STATUS_TABLE.path}: an entry is not [prefix, status, title]; correct code-tables.ts`);
  }
  return { prefix, status: number, title: text };
}

function constantIn(
  sources: readonly SourceText[],
  at: { readonly path: string; readonly name: string },
): ts.Expression {
  const syntax = sources.find(({ path }) => path === at.path)?.syntax;
  for (const statement of syntax?.statements ?? []) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (name.getText() === at.name && initializer !== undefined) return initializer;
    }
  }
  throw new Error(`${at.path} has no constant ${at.name} any more: correct code-tables.ts`);
}

function elementsOf(expression: ts.Expression): readonly ts.Expression[] {
  return ts.isArrayLiteralExpression(expression) ? expression.elements : [];
}

function objectOf(expression: ts.Expression): ts.ObjectLiteralExpression {
  if (!ts.isObjectLiteralExpression(expression)) throw new Error(`not an object literal: ${expression.getText()}`);
  return expression;
}
