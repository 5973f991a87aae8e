// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';

const SQL = new URL('../../../integrations/postgres/sql/', import.meta.url);

export function guardSql(name: 'install' | 'uninstall'): Promise<string> {
  return readFile(new URL(`${name}.sql`, SQL), 'utf8');
}
