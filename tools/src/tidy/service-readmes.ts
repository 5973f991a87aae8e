// SPDX-License-Identifier: Apache-2.0
import type { Finding, SourceText } from './finding.ts';

const FAILURE_TABLE = /^#+ .*failure[^\n]*\n(?:(?!#)[^\n]*\n)*?\|[^\n]*\|\n\|[\s:|-]+\|/im;

/** A service that can be started says how it fails: who operates it reads the table at night. */
export function serviceReadmes(sources: readonly SourceText[]): readonly Finding[] {
  const byPath = new Map(sources.map((source) => [source.path, source.text]));
  return [...byPath.keys()]
    .flatMap((path) => /^(services\/[^/]+)\/src\/main\.ts$/.exec(path)?.[1] ?? [])
    .filter((folder) => !FAILURE_TABLE.test(byPath.get(`${folder}/README.md`) ?? ''))
    .map((folder) => ({
      rule: 'service-readme',
      path: `${folder}/README.md`,
      line: 1,
      measured: 1,
      message: 'write a section "Failures" with a table: what fails, what the service does, what an operator does',
    }));
}
