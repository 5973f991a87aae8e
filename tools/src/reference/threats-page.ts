// SPDX-License-Identifier: Apache-2.0
import { THREATS } from '@clyra/core/enforcement/threat-map';
import { THREAT_REGISTRY } from '@clyra/core/policy/threat-registry';
import type { SourceText } from '../tidy/finding.ts';
import { markdownTable } from './markdown-table.ts';
import { WRITTEN_BY } from './written-by.ts';

type Threat = (typeof THREATS)[number][1];

/** Reasons that say how the log, its commands and its time are kept: no attack is behind them, so they map to none. */
export const OPERATION_PREFIXES: readonly string[] = [
  'CLY_CHANGE_ABANDONED',
  'CLY_CHANGE_CONFLICT',
  'CLY_CHANGE_NOT_',
  'CLY_CHANGE_SIGNATURE',
  'CLY_COMMAND_',
  'CLY_ENGINE_',
  'CLY_INTAKE_',
  'CLY_POLICY_',
  'CLY_RECORD_',
  'CLY_RUN_',
  'CLY_SOURCE_',
  'CLY_STATE_',
  'CLY_STREAM_',
  'CLY_TENANT_',
  'CLY_TIME_',
  'CLY_WINDOW_',
];

const DECIDING = /^libs\/core\/src\/(?:enforcement|inspection|sql|detectors)\//;

/** Every code that the decider or the inspection in front of it can give as a reason, as the sources spell them. */
export function reasonCodes(sources: readonly Pick<SourceText, 'path' | 'text'>[]): readonly string[] {
  const deciding = sources.filter(
    ({ path }) => DECIDING.test(path) && !/\.test\.ts$|threat-map\.ts$|\/trial\//.test(path),
  );
  const found = deciding.flatMap(({ text }) => text.match(/'CLY_[A-Z0-9_]*[A-Z0-9]'/g) ?? []);
  return [...new Set(found.map((quoted) => quoted.slice(1, -1)))].sort();
}

export function threatOf(code: string): Threat | undefined {
  return THREATS.find(([prefix]) => code.startsWith(prefix))?.[1];
}

export function threatsPage(sources: readonly Pick<SourceText, 'path' | 'text'>[]): string {
  const rows = reasonCodes(sources).map((code) => {
    const threat = threatOf(code);
    return [`\`${code}\``, threat?.threat_class ?? 'operation', idCell(threat?.owasp ?? []), idCell(mitreOf(threat))];
  });
  const lists = [...new Set([...THREAT_REGISTRY.values()].map(({ list }) => list))];
  return [
    `# Threats\n\n${WRITTEN_BY}\n\nEvery reason in a receipt says which kind of threat it answers. A policy may say it better for its own `,
    'routes (`threat_map`); ids that are not listed below are refused there. OWASP renumbers its lists, so an id carries its edition.\n\n',
    '## What a reason stands for\n\n',
    markdownTable(['reason', 'threat class', 'OWASP', 'MITRE'], rows),
    ...lists.flatMap((list) => [`\n## ${list}\n\n`, markdownTable(['id', 'name', 'reasons'], idRows(list, sources))]),
  ].join('');
}

function idRows(list: string, sources: readonly Pick<SourceText, 'path' | 'text'>[]): string[][] {
  const codes = reasonCodes(sources);
  return [...THREAT_REGISTRY.values()]
    .filter((entry) => entry.list === list)
    .map(({ id, name }) => {
      const naming = codes.filter((code) =>
        [...(threatOf(code)?.owasp ?? []), ...mitreOf(threatOf(code))].includes(id),
      );
      const areas = [...new Set(naming.map((code) => code.split('_').slice(0, 2).join('_')))];
      return [`\`${id}\``, name, areas.map((area) => `\`${area}_…\``).join(', ')];
    });
}

function idCell(ids: readonly string[]): string {
  return ids.map((id) => `\`${id}\` ${THREAT_REGISTRY.get(id)?.name ?? ''}`).join('<br>');
}

function mitreOf(threat: Threat | undefined): readonly string[] {
  return threat?.mitre_id === undefined ? [] : [threat.mitre_id];
}
