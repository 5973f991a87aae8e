// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';

const CELLS_MAX = 5_000_000;

/**
 * The rows of a seed, all of one length, the header first. Throws CLY_DBT_SEED for what readers of CSV read each in
 * their own way: a quote within or behind a cell, rows of another length, empty lines.
 */
export function readCsv(text: string, delimiter: string): readonly (readonly string[])[] {
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter)) throw seedError('its delimiter is not one character');
  const rows: string[][] = [];
  let row: string[] = [];
  let cells = 0;
  const content = text.startsWith('\ufeff') ? text.slice(1) : text;
  for (let at = 0; at < content.length; ) {
    const { cell, end } = content[at] === '"' ? quotedCell(content, at) : plainCell(content, at, delimiter);
    row.push(cell);
    cells += 1;
    if (cells > CELLS_MAX) throw seedError(`it has more than ${CELLS_MAX} cells`);
    const next = content[end];
    if (next === delimiter && end + 1 < content.length) {
      at = end + 1;
      continue;
    }
    if (next === delimiter) row.push('');
    else if (next !== undefined && next !== '\r' && next !== '\n') throw seedError('something follows a closing quote');
    rows.push(row);
    row = [];
    at = end + (content.startsWith('\r\n', end) ? 2 : 1);
  }
  const width = rows[0]?.length ?? 0;
  if (rows.some(({ length }) => length !== width)) throw seedError('its rows have different lengths');
  if (width > 1 || !rows.some(([cell]) => cell === '')) return rows;
  throw seedError('it has an empty line');
}

type Cell = { readonly cell: string; readonly end: number };

function plainCell(text: string, at: number, delimiter: string): Cell {
  let end = at;
  while (end < text.length && text[end] !== delimiter && text[end] !== '\r' && text[end] !== '\n') {
    if (text[end] === '"') throw seedError('a quote stands within a cell');
    end += 1;
  }
  return { cell: text.slice(at, end), end };
}

function quotedCell(text: string, at: number): Cell {
  let end = at + 1;
  for (;;) {
    end = text.indexOf('"', end);
    if (end === -1) throw seedError('a quote is not closed');
    if (text[end + 1] !== '"') break;
    end += 2;
  }
  return { cell: text.slice(at + 1, end).replaceAll('""', '"'), end: end + 1 };
}

export function seedError(what: string): ClyraError {
  return new ClyraError('CLY_DBT_SEED', `the file of the seed cannot be loaded as dbt did: ${what}`, {
    retry: 'never',
  });
}
