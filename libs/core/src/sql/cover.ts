// SPDX-License-Identifier: Apache-2.0
import { constantOf } from './constants.ts';
import { type Comparison, type Expression, negate, textOf } from './expression.ts';

type Range = { readonly subject: string; readonly operator: Comparison; readonly value: string | number };

/** True where two parts of an OR leave no row out: `x IS NULL OR x IS NOT NULL`, `x > 1 OR x < 5`, `a OR NOT a`. */
export function coverEverything(parts: readonly Expression[]): boolean {
  const texts = new Set(parts.map(textOf));
  if (parts.some((part) => isJudgeable(part) && texts.has(textOf(negate(part))))) return true;
  const ranges = parts.flatMap(rangeOf);
  return ranges.some((a, index) => ranges.slice(index + 1).some((b) => cover(a, b)));
}

/** The negation of these is a text of its own, not just the word NOT in front. */
function isJudgeable(part: Expression): boolean {
  return ['compare', 'null-test', 'in', 'in-query', 'exists', 'truth-test', 'column', 'not'].includes(part.is);
}

const MIRRORED: Partial<Record<Comparison, Comparison>> = {
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
  '=': '=',
  '<>': '<>',
};

function rangeOf(part: Expression): Range[] {
  if (part.is !== 'compare' || MIRRORED[part.operator] === undefined) return [];
  const [a, b] = [constantOf(part.left), constantOf(part.right)];
  if (typeof b === 'number' || typeof b === 'string') {
    return [{ subject: textOf(part.left), operator: part.operator, value: b }];
  }
  const mirrored = MIRRORED[part.operator];
  if (mirrored === undefined || (typeof a !== 'number' && typeof a !== 'string')) return [];
  return [{ subject: textOf(part.right), operator: mirrored, value: a }];
}

function cover(a: Range, b: Range): boolean {
  if (a.subject !== b.subject || typeof a.value !== typeof b.value) return false;
  if (a.operator === '<>') return b.operator === '<>' ? a.value !== b.value : holds(a.value, b);
  if (b.operator === '<>') return holds(b.value, a);
  const [low, high] = a.operator.startsWith('<') ? [a, b] : [b, a];
  if (!low.operator.startsWith('<') || !high.operator.startsWith('>')) return false;
  if (low.value === high.value) return low.operator === '<=' || high.operator === '>=';
  return low.value > high.value;
}

function holds(value: string | number, { operator, value: bound }: Range): boolean {
  if (operator === '=') return value === bound;
  if (operator === '<' || operator === '<=') return value < bound || (operator === '<=' && value === bound);
  return value > bound || (operator === '>=' && value === bound);
}
