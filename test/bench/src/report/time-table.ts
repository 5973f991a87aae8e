// SPDX-License-Identifier: Apache-2.0
import { STAGE_NAMES } from '../measure/read-stages.ts';
import type { ServiceProfiles, TimeUse } from '../measure/where-time-goes.ts';
import type { ProfileSummary } from '../process/profile-summary.ts';
import { meanOf, quantilesOf } from '../statistics.ts';
import { figure } from './figures.ts';
import { textTable } from './text-table.ts';

const FUNCTIONS_SHOWN = 12;

export function stageTable({ load, perSecond, stages, cpuMs }: TimeUse): string {
  const rows = STAGE_NAMES.map((name) => {
    const { p50, p95 } = quantilesOf(stages[name]);
    return [name, figure(meanOf(stages[name])), figure(p50), figure(p95)];
  });
  const used = Object.entries(cpuMs).filter(([, ms]) => ms >= 0.005);
  const cpu = textTable(
    ['CPU of each process', 'ms a request'],
    used.map(([name, ms]) => [name, figure(ms)]),
  );
  const title = `stages at ${load}, ${figure(perSecond)} answered/s`;
  return `${textTable([title, 'mean ms', 'p50', 'p95'], rows)}\n\n${cpu}\n`;
}

export function profileTables(profiles: ServiceProfiles): string {
  return Object.entries(profiles)
    .map(([name, summary]) => profileTable(name, summary))
    .join('\n');
}

function profileTable(name: string, { busy, owners, functions }: ProfileSummary): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const shares = (rows: readonly { name: string; share: number }[]): string[][] =>
    rows.map((row) => [row.name, percent(row.share)]);
  const head = `${name}: busy ${percent(busy)} of one core, of which`;
  const places = `${name}: by function, self time`;
  return [
    textTable([head, 'share'], shares(owners)),
    '',
    textTable([places, 'share'], shares(functions.slice(0, FUNCTIONS_SHOWN))),
    '',
  ].join('\n');
}
