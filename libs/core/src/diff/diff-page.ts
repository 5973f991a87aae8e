// SPDX-License-Identifier: Apache-2.0

import { visibleHtml } from '../pages/shown-text.ts';
import type { ComparedTable, DiffReport, DiffSide } from './diff-report.ts';
import { byRelation } from './diff-text.ts';
import type { MetricChange } from './metric-drift.ts';
import type { SchemaChange, Volume } from './schema-drift.ts';

const STYLE = `:root{color-scheme:light dark;--line:#8884;--add:#1a7f37;--del:#cf222e;--mod:#9a6700}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
caption{text-align:left;font-weight:600;padding:.4rem 0}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line)}
td.number{text-align:right;font-variant-numeric:tabular-nums}code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}
.added{color:var(--add)}.removed{color:var(--del)}.changed{color:var(--mod)}.verdict{font-size:1.1rem;font-weight:600}
.bar{display:flex;height:.6rem;border-radius:.3rem;overflow:hidden;background:var(--line)}.bar span{display:block}
.bar .a{background:var(--add)}.bar .d{background:var(--del)}.bar .m{background:var(--mod)}`;

/**
 * The report as one page without scripts or anything from elsewhere: it can be kept beside the evidence and opened
 * offline for ever. Every text of the report is escaped: names come from databases.
 */
export function diffPage(report: DiffReport): string {
  const { before, after, equal, schema, volumes, tables, metrics } = report;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Difference: ${visibleHtml(before.label)} – ${visibleHtml(after.label)}</title><style>${STYLE}</style></head><body>
<h1>Difference</h1>
<p class="verdict ${equal ? 'added' : 'removed'}">${equal ? 'Equal' : 'They differ'}</p>
<table><caption>What was compared</caption><thead><tr><th></th><th>state</th><th>position in its log</th><th>digest</th></tr></thead>
<tbody>${sideRow('before', before)}${sideRow('after', after)}</tbody></table>
${schemaSection(schema)}${tables.map(tableSection).join('')}${metricSection(metrics)}${volumeSection(volumes)}
</body></html>
`;
}

function sideRow(name: string, { label, anchor, digest }: DiffSide): string {
  const place = anchor === null ? '–' : `${anchor.system_id} / ${anchor.timeline} / ${anchor.lsn}`;
  return `<tr><th scope="row">${name}</th><td>${visibleHtml(label)}</td><td><code>${visibleHtml(place)}</code></td><td><code>${visibleHtml(digest ?? '–')}</code></td></tr>`;
}

function schemaSection(schema: readonly SchemaChange[]): string {
  if (schema.length === 0) return '';
  const parts = [...byRelation(schema)].map(([relation, changes]) => {
    const rows = changes.map(
      ({ what, name, change, before, after }) =>
        `<tr class="${change}"><td>${change}</td><td>${what.replace('_', ' ')}</td><td><code>${visibleHtml(name)}</code></td><td><code>${visibleHtml(before ?? '')}</code></td><td><code>${visibleHtml(after ?? '')}</code></td></tr>`,
    );
    return `<table><caption>${visibleHtml(relation)}</caption><thead><tr><th>change</th><th>of</th><th>name</th><th>before</th><th>after</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  });
  return `<h2>Schema</h2>${parts.join('')}`;
}

function tableSection(table: ComparedTable): string {
  const { relation, rows, added, removed, changed, columns, sums, uncompared, retyped } = table;
  const kinds = [
    ['added', added],
    ['removed', removed],
    ['changed', changed],
  ] as const;
  const counts = kinds.map(
    ([what, list]) =>
      `<tr class="${what}"><th scope="row">${what}</th><td class="number">${list.count}</td><td>${list.keys.map((key) => `<code>${visibleHtml(key)}</code>`).join(' ')}${list.keys.length < list.count ? ' …' : ''}</td></tr>`,
  );
  const notes = [
    ...columns.map(({ name, rows: count }) => `${count} changed rows differ in <code>${visibleHtml(name)}</code>`),
    ...uncompared.map(
      ({ name, side }) => `<code>${visibleHtml(name)}</code> is only in ${visibleHtml(side)}: not compared`,
    ),
    ...retyped.map(
      ({ name, before, after }) =>
        `<code>${visibleHtml(name)}</code>: ${visibleHtml(before)} → ${visibleHtml(after)}, compared as text`,
    ),
  ];
  const sumRows = (sums ?? []).map(
    ({ name, before, after }) =>
      `<tr class="${before === after ? '' : 'changed'}"><td><code>${visibleHtml(name)}</code></td><td><code>${visibleHtml(before)}</code></td><td><code>${visibleHtml(after)}</code></td></tr>`,
  );
  const sumTable =
    sums === null
      ? ''
      : `<table><caption>Column checksums</caption><thead><tr><th>column</th><th>before</th><th>after</th></tr></thead><tbody>${sumRows.join('')}</tbody></table>`;
  return `<h2>${visibleHtml(relation)}: ${table.equal ? 'equal' : 'differs'}</h2>
<p>${rows.before} rows before, ${rows.after} after.</p>${bar(table)}
<table><thead><tr><th>rows</th><th>count</th><th>keys</th></tr></thead><tbody>${counts.join('')}</tbody></table>
<ul>${notes.map((note) => `<li>${note}</li>`).join('')}</ul>${sumTable}`;
}

/** Shares of the rows; a difference of one row in a million still has a visible width. */
function bar({ rows, added, removed, changed }: ComparedTable): string {
  const total = Math.max(rows.before, rows.after, 1);
  const width = (count: number): string => (count === 0 ? '0' : Math.max(0.5, (100 * count) / total).toFixed(1));
  const text = `${added.count} added, ${removed.count} removed, ${changed.count} changed of ${total}`;
  return `<div class="bar" role="img" aria-label="${text}"><span class="a" style="width:${width(added.count)}%"></span><span class="d" style="width:${width(removed.count)}%"></span><span class="m" style="width:${width(changed.count)}%"></span></div>`;
}

function metricSection(metrics: readonly MetricChange[]): string {
  if (metrics.length === 0) return '';
  const rows = metrics.map(
    ({ metric, delta, change, paths }) =>
      `<tr class="${change}"><td>${delta}</td><td>${change}</td><td><code>${visibleHtml(metric)}</code></td><td>${paths.map((path) => `<code>${visibleHtml(path)}</code>`).join(' ')}</td></tr>`,
  );
  return `<h2>Metric definitions</h2><table><thead><tr><th>class</th><th>change</th><th>metric</th><th>where</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function volumeSection(volumes: readonly Volume[]): string {
  if (volumes.length === 0) return '';
  const number = (value: number | null): string => `<td class="number">${value === null ? '–' : value}</td>`;
  const rows = volumes.map(
    (one) =>
      `<tr><td><code>${visibleHtml(one.relation)}</code></td>${number(one.rows_before)}${number(one.rows_after)}${number(one.bytes_before)}${number(one.bytes_after)}<td>${one.sample_equal === null ? '–' : one.sample_equal ? 'equal' : 'differs'}</td></tr>`,
  );
  return `<h2>Volume</h2><p>Row counts are the planner’s estimates.</p><table><thead><tr><th>relation</th><th>rows before</th><th>after</th><th>bytes before</th><th>after</th><th>sample</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}
