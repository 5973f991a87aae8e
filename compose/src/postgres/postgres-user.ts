// SPDX-License-Identifier: Apache-2.0
import { chownSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';

export type SystemUser = { readonly name: string; readonly uid: number; readonly gid: number };

const PREFERRED = ['postgres', 'nobody'];
const OTHERS_MAY_PASS = 0o001;
const GROUP_MAY_PASS = 0o010;
const OWNER_MAY_PASS = 0o100;

/**
 * PostgreSQL refuses to run as root, which is what one often is in a container or in CI: then it runs as an
 * existing unprivileged user. undefined means: as the current user. Rejects with CLY_STACK_POSTGRES_USER.
 */
export function postgresUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = systemUsers(readFileSync('/etc/passwd', 'utf8'));
  const user = PREFERRED.map((name) => users.find((candidate) => candidate.name === name)).find(Boolean);
  if (user !== undefined) return user;
  throw new ClyraError(
    'CLY_STACK_POSTGRES_USER',
    'PostgreSQL does not run as root and there is no user postgres or nobody: create one, or run as another user',
    { retry: 'never' },
  );
}

export function systemUsers(passwd: string): readonly SystemUser[] {
  return passwd
    .split('\n')
    .map((line) => line.split(':'))
    .flatMap(([name, , uid, gid]) =>
      name === undefined || uid === undefined || gid === undefined
        ? []
        : [{ name, uid: Number(uid), gid: Number(gid) }],
    )
    .filter(({ uid, gid }) => Number.isInteger(uid) && Number.isInteger(gid) && uid !== 0);
}

/** Hands the folder over, and rejects with CLY_STACK_POSTGRES_USER where that user cannot even get to it. */
export function giveFolderTo(user: SystemUser, folder: string): void {
  chownSync(folder, user.uid, user.gid);
  for (let parent = dirname(folder); ; parent = dirname(parent)) {
    if (!mayPass(user, parent)) {
      throw new ClyraError(
        'CLY_STACK_POSTGRES_USER',
        `PostgreSQL runs as ${user.name}, who may not enter ${parent}: put the data elsewhere with --data, for example under /var/tmp`,
        { retry: 'never', context: { user: user.name, folder: parent } },
      );
    }
    if (parent === dirname(parent)) return;
  }
}

function mayPass(user: SystemUser, folder: string): boolean {
  const { mode, uid, gid } = statSync(folder);
  if (uid === user.uid) return (mode & OWNER_MAY_PASS) !== 0;
  if (gid === user.gid) return (mode & GROUP_MAY_PASS) !== 0;
  return (mode & OTHERS_MAY_PASS) !== 0;
}
