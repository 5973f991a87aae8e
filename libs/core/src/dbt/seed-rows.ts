// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import { readCsv, seedError } from './read-csv.ts';
import type { DbtNode } from './read-manifest.ts';

export type SeedColumn = { readonly name: string; readonly type: string };

const NUMERIC = /^(?:smallint|integer|bigint|numeric|decimal|real|double precision)/;
const NUMBER = /^\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The file's text. Throws CLY_DBT_SEED where it is not the one whose checksum the run holds. */
export function seedText({ checksum }: DbtNode, bytes: Uint8Array): string {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw seedError(`it is not UTF-8 (${String(cause)})`);
  }
  // dbt takes it of the text without the white space around it; of a large file it takes none.
  if (checksum !== undefined && digestOf(text.trim()) !== checksum && digestOf(text) !== checksum) {
    throw seedError('it is not the one of the run, whose manifest has another checksum');
  }
  return text;
}

/** The cells as dbt gives them to the database: `null` and nothing are NULL. Throws CLY_DBT_SEED. */
export function seedRows(node: DbtNode, bytes: Uint8Array, columns: readonly SeedColumn[]): (string | null)[][] {
  const [header = [], ...rows] = readCsv(seedText(node, bytes), node.delimiter);
  if (header.length !== columns.length) throw seedError('its header has not the columns of the table');
  return rows.map((row) => row.map((cell, at) => cellValue(cell, columns[at]?.type ?? '')));
}

function cellValue(cell: string, type: string): string | null {
  const word = cell.trim().toLowerCase();
  if (word === '' || word === 'null') return null;
  // dbt reads `1,000` and `$5` as numbers, and PostgreSQL does not.
  if (NUMERIC.test(type) && !NUMBER.test(cell)) throw seedError('a number in it is written as only dbt reads it');
  return cell;
}
