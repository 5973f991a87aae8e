// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';

const SQL = new URL('../../../integrations/postgres/sql/', import.meta.url);

const FILES = { install: ['install.sql', 'helpers.sql'], uninstall: ['uninstall.sql'] } as const;

export async function guardSql(name: keyof typeof FILES): Promise<string> {
  const texts = await Promise.all(FILES[name].map((file) => readFile(new URL(file, SQL), 'utf8')));
  return texts.join('\n');
}
