// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { ClyraError } from '@clyra/core/kernel/error';
import type { CrmOptions } from './crm-server.ts';

const PORT = /^\d{1,5}$/;

/**
 * CRM_DATABASE_URL (postgres://user:password@host:port/database, required), CRM_HTTP_HOST (127.0.0.1) and CRM_HTTP_PORT
 * (8090). Throws CLY_CONFIG_INVALID, which never repeats the password.
 */
export function crmOptions(env: Readonly<Record<string, string | undefined>> = process.env): CrmOptions {
  const text = env['CRM_DATABASE_URL'] ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(?:ql)?:$/.test(url.protocol) || url.username === '' || url.pathname.length < 2) {
    throw invalid('CRM_DATABASE_URL: write postgres://user:password@host:port/database');
  }
  const port = env['CRM_HTTP_PORT'] ?? '8090';
  if (!PORT.test(port)) throw invalid('CRM_HTTP_PORT: write a port');
  return {
    connection: {
      host: url.hostname,
      port: Number(url.port === '' ? 5432 : url.port),
      database: decodeURIComponent(url.pathname.slice(1)),
      user: decodeURIComponent(url.username),
      ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    },
    host: env['CRM_HTTP_HOST'] ?? '127.0.0.1',
    port: Number(port),
  };
}

function invalid(message: string): ClyraError {
  return new ClyraError('CLY_CONFIG_INVALID', message, { retry: 'never' });
}
