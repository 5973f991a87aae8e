// SPDX-License-Identifier: Apache-2.0
import { ClyraError, type ErrorCode, type RetryFact } from '@clyra/core/kernel/error';

type Verdict = { readonly code: ErrorCode; readonly retry: RetryFact; readonly advice: string };

const UNREACHABLE: Verdict = {
  code: 'CLY_SOURCE_UNREACHABLE',
  retry: 'backoff',
  advice: 'Snowflake cannot be reached or ended the session. Check the account and the network; try again later.',
};
const AUTH: Verdict = {
  code: 'CLY_SOURCE_AUTH',
  retry: 'never',
  advice: 'Snowflake refused the login. Check the user, its secret or key, and the network policy.',
};
const PRIVILEGE: Verdict = {
  code: 'CLY_SOURCE_PRIVILEGE',
  retry: 'never',
  advice:
    'The role does not see what the recorder reads. Run integrations/snowflake/sql/recorder-role.sql, or name the role and warehouse it makes.',
};
const STATEMENT: Verdict = {
  code: 'CLY_SOURCE_SQL_FAILED',
  retry: 'never',
  advice: 'Snowflake refused a history query. See its code; a column may have another name in this account.',
};

/** Codes of the server and of the driver, as texts. */
const BY_CODE: ReadonlyMap<string, Verdict> = new Map([
  ['390100', AUTH], // wrong user or password
  ['390101', AUTH], // the user does not exist
  ['390102', AUTH], // locked or disabled
  ['390144', AUTH], // the key's token is not valid
  ['390186', AUTH], // the role of the connection does not exist or is not granted
  ['394300', AUTH], // network policy
  ['390201', PRIVILEGE],
  ['000606', PRIVILEGE], // no active warehouse
  ['002003', PRIVILEGE], // does not exist or not authorized: Snowflake does not say which
  ['002043', PRIVILEGE],
  ['003001', PRIVILEGE],
  ['000604', UNREACHABLE], // cancelled
  ['000629', UNREACHABLE], // aborted: warehouse suspended, statement timeout
  ['390104', UNREACHABLE],
  ['390112', UNREACHABLE], // session expired
  ['390114', UNREACHABLE],
]);

type DriverError = { readonly code?: unknown; readonly sqlState?: unknown; readonly name?: unknown };

/** The driver's message may repeat the statement or the address with its secrets: only codes are passed on. */
export function classifySnowflakeError(error: unknown): ClyraError {
  if (error instanceof ClyraError) return error;
  const { code, sqlState, name } = (error ?? {}) as DriverError;
  const text = String(code ?? '').padStart(6, '0');
  const known = BY_CODE.get(text);
  const isOfServer = typeof sqlState === 'string' || name === 'OperationFailedError';
  const verdict = known ?? (isOfServer ? STATEMENT : UNREACHABLE);
  const { advice, retry } = verdict;
  return new ClyraError(verdict.code, advice, {
    retry,
    context: { driver_code: text, sql_state: typeof sqlState === 'string' ? sqlState : null },
    cause: error,
  });
}

export function lateSnowflake(what: string, deadlineMs: number): ClyraError {
  return new ClyraError('CLY_SOURCE_UNREACHABLE', `Snowflake did not finish ${what} in time. ${UNREACHABLE.advice}`, {
    retry: 'backoff',
    context: { deadline_ms: deadlineMs },
  });
}
