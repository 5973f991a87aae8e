// SPDX-License-Identifier: Apache-2.0

/** The code of an error of the operating system (`EACCES`), or undefined. By shape: it may come from another realm. */
export function systemCodeOf(error: unknown): string | undefined {
  const isSystem = typeof error === 'object' && error !== null && 'syscall' in error && 'code' in error;
  return isSystem && typeof error.code === 'string' ? error.code : undefined;
}
