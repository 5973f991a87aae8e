// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/**
 * A pid alone may belong to somebody else after the process ended, so whatever is stored and later signalled is
 * a pid together with the moment the process started, in the platform's own notation.
 */
export type ProcessIdentity = { readonly pid: number; readonly startedAs: string };

const PS_DEADLINE_MS = 5_000;
/** Field 22 of /proc/<pid>/stat, counted after the command name, which may itself hold blanks and brackets. */
const START_TIME_INDEX_AFTER_NAME = 19;
const STATE_INDEX_AFTER_NAME = 0;

/** undefined when there is no such process (a zombie is none: it holds no port and no file). */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const startedAs = existsSync('/proc/self/stat') ? startFromProc(pid) : startFromPs(pid);
  return startedAs === undefined ? undefined : { pid, startedAs };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startedAs === identity.startedAs;
}

function startFromProc(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[STATE_INDEX_AFTER_NAME] === 'Z' ? undefined : fields[START_TIME_INDEX_AFTER_NAME];
}

function startFromPs(pid: number): string | undefined {
  const result = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    timeout: PS_DEADLINE_MS,
  });
  const line = result.status === 0 ? result.stdout.trim() : '';
  return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
}
