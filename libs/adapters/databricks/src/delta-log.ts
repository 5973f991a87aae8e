// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';

/** What a version's own file says: it tells more than DESCRIBE HISTORY through the driver, and cannot be worded anew. */
export type LoggedVersion = {
  readonly parameters: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, string>>;
  readonly userMetadata: string;
  /** Whether any file was added or removed with a change of data. */
  readonly changesData: boolean;
};

const ACTIONS_MAX = 1_000_000;
const LOG_BYTES_MAX = 268_435_456;
const VERSION_DIGITS = 20;

export function logFileName(version: number): string {
  return `${String(version).padStart(VERSION_DIGITS, '0')}.json`;
}

/** Reads `_delta_log/<20 digits>.json`: one action a line. Throws CLY_SOURCE_DELTA_LOG for what is none. */
export function readLogFile(bytes: Uint8Array): LoggedVersion {
  if (bytes.length > LOG_BYTES_MAX) throw unreadable('is larger than is read here');
  const lines = Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (lines.length === 0 || lines.length > ACTIONS_MAX) throw unreadable('has no actions, or too many');
  const actions = lines.map(actionOf);
  const commit = actions.find((action) => action['commitInfo'] !== undefined)?.['commitInfo'] ?? {};
  return {
    parameters: textsOf(commit['operationParameters']),
    metrics: textsOf(commit['operationMetrics']),
    userMetadata: typeof commit['userMetadata'] === 'string' ? commit['userMetadata'] : '',
    // Where a file action does not say, it does change data: that is the protocol's meaning of the missing member.
    changesData: actions.some((action) => [action['add'], action['remove'], action['cdc']].some(changes)),
  };
}

type Members = Readonly<Record<string, unknown>>;

function changes(file: Members | undefined): boolean {
  return file !== undefined && file['dataChange'] !== false;
}

function actionOf(line: string): Readonly<Record<string, Members | undefined>> {
  try {
    const action: unknown = JSON.parse(line);
    if (typeof action === 'object' && action !== null && !Array.isArray(action)) {
      return action as Readonly<Record<string, Members | undefined>>;
    }
  } catch {
    // Said below.
  }
  throw unreadable('has a line that is no action');
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, typeof item === 'string' ? item : JSON.stringify(item)]),
  );
}

function unreadable(what: string): ClyraError {
  return new ClyraError('CLY_SOURCE_DELTA_LOG', `a file of a table's _delta_log ${what}: find out who wrote it`, {
    retry: 'never',
  });
}
