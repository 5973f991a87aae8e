// SPDX-License-Identifier: Apache-2.0
import { ClyraError, type ErrorCode, type RetryFact } from '@clyra/core/kernel/error';

/** What was being done when the error came: the server uses one SQLSTATE for a missing slot and a missing publication. */
export type PostgresActivity = 'connect' | 'sql' | 'start_replication' | 'stream';

type Verdict = { readonly code: ErrorCode; readonly retry: RetryFact; readonly advice: string };

/** The fields of a server error that do not depend on its language and hold no row values. */
type ServerErrorFields = { readonly sqlState: string; readonly file: string; readonly routine: string };

const UNREACHABLE: Verdict = {
  code: 'CLY_SOURCE_UNREACHABLE',
  retry: 'backoff',
  advice: 'PostgreSQL cannot be reached or ended the connection. Check the address and the server; try again later.',
};
const BUSY: Verdict = {
  code: 'CLY_SOURCE_BUSY',
  retry: 'backoff',
  advice: 'PostgreSQL could not do it now (limits, locks or a timeout). Try again later.',
};
const AUTH: Verdict = {
  code: 'CLY_SOURCE_AUTH',
  retry: 'never',
  advice: 'PostgreSQL refused the login. Check the user, the secret and pg_hba.conf (database and replication lines).',
};
const PRIVILEGE: Verdict = {
  code: 'CLY_SOURCE_PRIVILEGE',
  retry: 'never',
  advice: 'The role lacks a privilege. Grant it REPLICATION, CONNECT, and what the setup page lists.',
};
const TLS: Verdict = {
  code: 'CLY_SOURCE_TLS',
  retry: 'never',
  advice:
    'The TLS session with PostgreSQL failed. Check the certificate authority, the host name and ssl on the server.',
};
const DATABASE_MISSING: Verdict = {
  code: 'CLY_SOURCE_DATABASE_MISSING',
  retry: 'never',
  advice: 'The database does not exist. Correct the name of the source.',
};
const SLOT_MISSING: Verdict = {
  code: 'CLY_SOURCE_SLOT_MISSING',
  retry: 'never',
  advice: 'The replication slot does not exist. Record the gap, then create the slot again.',
};
const SLOT_LOST: Verdict = {
  code: 'CLY_SOURCE_SLOT_LOST',
  retry: 'never',
  advice: 'The server no longer has the log this slot needs. Record the gap, drop the slot and create it again.',
};
const SLOT_IN_USE: Verdict = {
  code: 'CLY_SOURCE_SLOT_IN_USE',
  retry: 'backoff',
  advice: 'Another session reads the slot, perhaps the one just lost. Wait for it to end; run one recorder per slot.',
};
const PUBLICATION_MISSING: Verdict = {
  code: 'CLY_SOURCE_PUBLICATION_MISSING',
  retry: 'never',
  advice: 'The publication does not exist, or did not when the log was written. Create it before the slot.',
};
const WAL_LEVEL: Verdict = {
  code: 'CLY_SOURCE_WAL_LEVEL',
  retry: 'never',
  advice: 'Set wal_level = logical on the server and restart it.',
};
const CORRUPT: Verdict = {
  code: 'CLY_SOURCE_CORRUPT',
  retry: 'never',
  advice: 'PostgreSQL reports damaged data. Stop, and have the server examined.',
};
const STATEMENT: Verdict = {
  code: 'CLY_SOURCE_SQL_FAILED',
  retry: 'never',
  advice: 'PostgreSQL refused the statement. See its SQLSTATE.',
};

const BY_SQL_STATE: ReadonlyMap<string, Verdict> = new Map([
  ['3D000', DATABASE_MISSING],
  ['42501', PRIVILEGE],
  ['58P01', SLOT_LOST],
  ['57P01', UNREACHABLE],
  ['57P02', UNREACHABLE],
  ['57P03', UNREACHABLE],
  ['57P05', UNREACHABLE],
  ['57014', BUSY],
  ['55P03', BUSY],
  ['40001', BUSY],
  ['40P01', BUSY],
  ['XX001', CORRUPT],
  ['XX002', CORRUPT],
]);

const BY_SQL_STATE_CLASS: ReadonlyMap<string, Verdict> = new Map([
  ['08', UNREACHABLE],
  ['28', AUTH],
  ['53', BUSY],
]);

const NETWORK_CODES = new Set(
  'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN ENOENT'.split(' '),
);
const TLS_CODE = /^(ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;
const TLS_TEXT = /SSL connection/;
/** Written by the client library, in English whatever the server speaks. */
const LOST_TEXT =
  /Connection terminated|not queryable|timeout exceeded when trying to connect|timeout expired|Connection ended/;
const GUARD_SQL_STATE = 'CLY42';
const GUARD_TEXT = /^(CLY_GUARD_[A-Z_]{1,40}): ([^\u0000]{1,1000})$/;
const READ_TIMEOUT_TEXT = /Query read timeout/;

/**
 * Names any failure of `pg` or the replication transport. A ClyraError comes back unchanged. The server's text
 * stays in `cause` alone: it may hold values of rows. `context.sqlState` is there whenever the server answered.
 */
export function classifyPostgresError(error: unknown, activity: PostgresActivity = 'sql'): ClyraError {
  if (error instanceof ClyraError) {
    return error;
  }
  const refusal = guardRefusal(error);
  if (refusal !== undefined) {
    return refusal;
  }
  const server = serverErrorFields(error);
  const verdict = server === undefined ? clientVerdict(error) : serverVerdict(server, activity);
  return new ClyraError(verdict.code, verdict.advice, {
    retry: verdict.retry,
    context: { activity, ...(server === undefined ? {} : { sqlState: server.sqlState }) },
    cause: error,
  });
}

/**
 * From 18 on a server that finds no publication for what it decodes goes on without its changes, and only warns. The
 * warning comes in the stream before anything that follows those changes; undefined for every other notice.
 */
export function skippedPublication(notice: unknown): ClyraError | undefined {
  if (serverErrorFields(notice)?.routine !== 'LoadPublications') {
    return undefined;
  }
  const { code, advice, retry } = PUBLICATION_MISSING;
  return new ClyraError(code, advice, { retry, context: { activity: 'stream' }, cause: notice });
}

/** The guard's own words (integrations/postgres) hold no value of a row, so they may be shown. */
function guardRefusal(error: unknown): ClyraError | undefined {
  const parts = GUARD_TEXT.exec(textField(error, 'message'));
  if (textField(error, 'code') !== GUARD_SQL_STATE || parts === null) {
    return undefined;
  }
  const [, code, advice] = parts as unknown as readonly [string, ErrorCode, string];
  return new ClyraError(code, advice, { retry: 'never', context: { sqlState: GUARD_SQL_STATE }, cause: error });
}

function serverVerdict(fields: ServerErrorFields, activity: PostgresActivity): Verdict {
  const isReplicating = activity === 'start_replication' || activity === 'stream';
  switch (fields.sqlState) {
    case '42704':
      return isReplicating || fields.file === 'slot.c' ? missingObject(fields, activity) : STATEMENT;
    case '55006':
      return isReplicating || fields.file === 'slot.c' ? SLOT_IN_USE : BUSY;
    case '55000':
      if (fields.routine === 'CheckLogicalDecodingRequirements') {
        return WAL_LEVEL;
      }
      return isReplicating ? SLOT_LOST : STATEMENT;
    case '58P01':
      return isReplicating ? SLOT_LOST : STATEMENT;
    default:
      return BY_SQL_STATE.get(fields.sqlState) ?? BY_SQL_STATE_CLASS.get(fields.sqlState.slice(0, 2)) ?? STATEMENT;
  }
}

/** The slot is looked up when replication starts, the publication at the first change. */
function missingObject(fields: ServerErrorFields, activity: PostgresActivity): Verdict {
  if (fields.file === 'slot.c') {
    return SLOT_MISSING;
  }
  return activity === 'start_replication' ? SLOT_MISSING : PUBLICATION_MISSING;
}

function clientVerdict(error: unknown): Verdict {
  const { code, message } = errorText(error);
  if (TLS_CODE.test(code) || TLS_TEXT.test(message)) {
    return TLS;
  }
  if (READ_TIMEOUT_TEXT.test(message)) {
    return BUSY;
  }
  if (NETWORK_CODES.has(code) || LOST_TEXT.test(message)) {
    return UNREACHABLE;
  }
  return STATEMENT;
}

/** Errors are told apart by their fields, never by class: those of the platform may be of another realm's class. */
function serverErrorFields(error: unknown): ServerErrorFields | undefined {
  const sqlState = textField(error, 'code');
  if (sqlState === '' || textField(error, 'severity') === '') {
    return undefined;
  }
  return { sqlState, file: textField(error, 'file'), routine: textField(error, 'routine') };
}

/** A failed connection to several addresses is one error that holds the others. */
function errorText(error: unknown): { code: string; message: string } {
  if (typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors)) {
    return errorText(error.errors[0]);
  }
  return { code: textField(error, 'code'), message: textField(error, 'message') };
}

function textField(error: unknown, name: string): string {
  if (typeof error !== 'object' || error === null) {
    return '';
  }
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : '';
}
