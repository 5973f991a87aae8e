// SPDX-License-Identifier: Apache-2.0
import type { Finding, Rule, SourceText } from './finding.ts';
import { projectReferences } from './references.ts';
import { serviceReadmes } from './service-readmes.ts';
import { fileLength, functionSize, sizeDistribution } from './size-rules.ts';
import { bannedSyntax, unfinishedWork } from './syntax-rules.ts';
import { forbiddenContent, licenceLine, pathName } from './text-rules.ts';

const FILE_RULES: readonly Rule[] = [
  licenceLine,
  pathName,
  fileLength,
  functionSize,
  bannedSyntax,
  unfinishedWork,
  forbiddenContent,
];

/** Everything that is not as CONTRIBUTING.md asks, over all files of the project. */
export function judge(sources: readonly SourceText[]): readonly Finding[] {
  return [
    ...sources.flatMap((source) => FILE_RULES.flatMap((rule) => rule(source))),
    ...sizeDistribution(sources),
    ...serviceReadmes(sources),
    ...projectReferences(sources),
  ];
}
