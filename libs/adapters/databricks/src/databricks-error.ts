// SPDX-License-Identifier: Apache-2.0
import { ClyraError, type ErrorCode, type RetryFact } from '@clyra/core/kernel/error';

type Verdict = { readonly code: ErrorCode; readonly retry: RetryFact; readonly advice: string };

const UNREACHABLE: Verdict = {
  code: 'CLY_SOURCE_UNREACHABLE',
  retry: 'backoff',
  advice: 'Databricks cannot be reached or ended the session. Check host, path and network; try again later.',
};
const AUTH: Verdict = {
  code: 'CLY_SOURCE_AUTH',
  retry: 'never',
  advice: 'Databricks refused the token. Give a valid one of a service principal that may use the warehouse.',
};
const TLS: Verdict = {
  code: 'CLY_SOURCE_TLS',
  retry: 'never',
  advice: 'The certificate of the server is not trusted, or not for this host. Name its authority in tlsCaFile.',
};
const PRIVILEGE: Verdict = {
  code: 'CLY_SOURCE_PRIVILEGE',
  retry: 'never',
  advice: 'The principal may not read this table. Grant it USE CATALOG, USE SCHEMA and SELECT.',
};
const RELATION_MISSING: Verdict = {
  code: 'CLY_SOURCE_RELATION_MISSING',
  retry: 'never',
  advice:
    'A guarded table does not exist, or is not shown to this principal. Correct the name, or find out who dropped it.',
};
const STATEMENT: Verdict = {
  code: 'CLY_SOURCE_SQL_FAILED',
  retry: 'never',
  advice: 'Databricks refused a history query. See its SQLSTATE.',
};

const BY_SQL_STATE: ReadonlyMap<string, Verdict> = new Map([
  ['42501', PRIVILEGE],
  ['42P01', RELATION_MISSING],
  ['42704', RELATION_MISSING],
]);

type DriverError = {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly response?: { readonly sqlState?: unknown; readonly status?: unknown };
  readonly errorCode?: unknown;
  readonly message?: unknown;
};

const REFUSED_STATUSES: ReadonlySet<unknown> = new Set([401, 403]);
const TLS_CODE = /^(?:ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** The driver's message may repeat the statement: only codes are passed on. */
export function classifyDatabricksError(error: unknown): ClyraError {
  if (error instanceof ClyraError) return error;
  const facts = (error ?? {}) as DriverError;
  const sqlState = facts.response?.sqlState;
  const verdict = verdictOf(facts, sqlState);
  return new ClyraError(verdict.code, verdict.advice, {
    retry: verdict.retry,
    context: {
      driver_error: typeof facts.name === 'string' ? facts.name : null,
      sql_state: typeof sqlState === 'string' ? sqlState : null,
    },
    cause: error,
  });
}

function verdictOf({ name, code, statusCode }: DriverError, sqlState: unknown): Verdict {
  if (typeof sqlState === 'string') return BY_SQL_STATE.get(sqlState) ?? STATEMENT;
  if (REFUSED_STATUSES.has(statusCode)) return AUTH;
  if (typeof code === 'string' && TLS_CODE.test(code)) return TLS;
  return name === 'OperationStateError' || name === 'StatusError' ? STATEMENT : UNREACHABLE;
}

export function lateDatabricks(what: string, deadlineMs: number): ClyraError {
  return new ClyraError('CLY_SOURCE_UNREACHABLE', `Databricks did not finish ${what} in time. ${UNREACHABLE.advice}`, {
    retry: 'backoff',
    context: { deadline_ms: deadlineMs },
  });
}
