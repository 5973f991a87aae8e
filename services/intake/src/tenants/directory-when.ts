// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';
import type { TenantDirectory } from './tenant-directory.ts';

export type DirectoryWait = {
  readonly directory: TenantDirectory;
  readonly clock: Clock;
  readonly deadlineMs: number;
};

/** Resolves when the predicate holds, or with false when the deadline comes first. */
export function directoryWhen({ directory, clock, deadlineMs }: DirectoryWait, holds: () => boolean): Promise<boolean> {
  if (holds()) return Promise.resolve(true);
  return new Promise((resolve) => {
    const end = (held: boolean): void => {
      cancelTimer();
      stopListening();
      resolve(held);
    };
    const cancelTimer = clock.after(Math.max(0, deadlineMs), () => end(false));
    const stopListening = directory.onChange(() => {
      if (holds()) end(true);
    });
  });
}
