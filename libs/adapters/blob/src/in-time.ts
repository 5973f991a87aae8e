// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';

export type Wait = { readonly name: string; readonly deadlineMs: number };

/** What `work` gives, or CLY_BLOB_UNAVAILABLE (retry: backoff) once the deadline passes. The caller ends the work. */
export async function inTime<T>(work: Promise<T>, { name, deadlineMs }: Wait): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const what = `blob store: nothing of ${name} came for ${deadlineMs} ms; check the disk or the connection`;
      reject(new ClyraError('CLY_BLOB_UNAVAILABLE', what, { retry: 'backoff', context: { name, deadlineMs } }));
    }, deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
