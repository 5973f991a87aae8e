// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';

/** Aborts when somebody ends the process: for commands that stay. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}
