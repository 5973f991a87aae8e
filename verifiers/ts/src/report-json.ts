// SPDX-License-Identifier: Apache-2.0
import type { VerifyReport } from './report/verify-report.ts';

/** The report as one line of JSON, members in snake_case as in all records of the project. */
export function encodeReport(report: VerifyReport): string {
  return JSON.stringify(snakeCase(report));
}

function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(snakeCase);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeCase(inner),
    ]),
  );
}
