// SPDX-License-Identifier: Apache-2.0
import { visibleHtml } from '@clyra/core/pages/shown-text';

/** Text that is safe between tags and in quoted attributes. Everything that comes from a bundle goes through here. */
export function text(value: unknown): string {
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  return visibleHtml(shown ?? '');
}

export type Cell = string | { readonly html: string };

export function table(caption: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const heads = head.map((name) => `<th scope="col">${text(name)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cellHtml(cell)}</td>`).join('')}</tr>`).join('\n');
  return `<div class="wide"><table><caption>${text(caption)}</caption><thead><tr>${heads}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

function cellHtml(cell: Cell): string {
  return typeof cell === 'string' ? text(cell) : cell.html;
}

export function facts(rows: readonly (readonly [string, Cell])[]): string {
  return `<dl>${rows.map(([name, cell]) => `<dt>${text(name)}</dt><dd>${cellHtml(cell)}</dd>`).join('\n')}</dl>`;
}

/** A word in a colour that also says itself: nobody needs to see the colour. */
export function mark(word: string): Cell {
  return { html: `<span class="mark ${MARKS[word] ?? 'plain'}">${text(word)}</span>` };
}

const MARKS: Readonly<Record<string, string>> = {
  PASS: 'good',
  allow: 'good',
  matched: 'good',
  final: 'good',
  FAIL: 'bad',
  block: 'bad',
  unattributed: 'bad',
  exceeded: 'bad',
  reused: 'bad',
  claimed_unproved: 'bad',
  PARTIAL: 'open',
  ABSENT: 'open',
  UNSUPPORTED: 'open',
  hold: 'open',
  provisional: 'open',
};

export function code(value: string): Cell {
  return { html: `<code>${text(value)}</code>` };
}

export function time(ms: unknown): Cell {
  if (!Number.isSafeInteger(ms) || (ms as number) < 0 || (ms as number) > 8.64e15) return '–';
  const iso = new Date(ms as number).toISOString();
  return { html: `<time datetime="${iso}">${iso.replace('T', ' ').replace('Z', '')}</time>` };
}

export function page(title: string, sections: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${sections.join('\n')}
</main>
</body>
</html>
`;
}

const STYLE = `
:root{color-scheme:light dark;--ink:#17212b;--soft:#5b6876;--line:#d8dee4;--back:#fff;--good:#0a6b3d;--bad:#a81f1f;--open:#8a5a00}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9fb0c0;--line:#38434e;--back:#12181e;--good:#5fd39a;--bad:#ff8f8f;--open:#f0c35a}}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:72rem;margin:0 auto;padding:2rem 1rem 4rem}
h1{font-size:1.6rem;margin:0 0 .3rem}h2{font-size:1.15rem;margin:2.4rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.3rem}
p,li{max-width:60rem}.soft,caption{color:var(--soft)}caption{text-align:left;padding:.2rem 0}
code{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;margin:.4rem 0 1rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line)}th{font-weight:600}
td{font-variant-numeric:tabular-nums}.mark{font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}.open{color:var(--open)}
time{white-space:nowrap;font-variant-numeric:tabular-nums}
@media print{main{max-width:none;padding:0}h2{break-after:avoid}tr{break-inside:avoid}}
`;
