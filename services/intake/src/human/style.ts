// SPDX-License-Identifier: Apache-2.0
/** The pages' only style sheet: system fonts, nothing fetched, readable at 200 % and in the dark. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #16202a; --quiet: #53606c; --line: #cdd5dc; --paper: #ffffff; --page: #f3f5f7;
  --accent: #0b5cad; --accent-ink: #ffffff; --warn: #7a4b00; --warn-paper: #fff4dd; --bad: #9b1c1c; --bad-paper: #fdecec;
  --good: #14602f; --good-paper: #e6f5eb; --code: #f3f5f7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8edf1; --quiet: #a9b5bf; --line: #3a4650; --paper: #1a2229; --page: #10161b; --accent: #7cb8f5;
    --accent-ink: #0c1a27; --warn: #f3c877; --warn-paper: #33270f; --bad: #f5a3a3; --bad-paper: #3a1c1c; --good: #8fdba9;
    --good-paper: #17301f; --code: #121a20; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem 1rem; }
header, main, footer { max-width: 56rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding-top: 1rem; padding-bottom: .5rem; }
header .brand { font-weight: 700; letter-spacing: .01em; text-decoration: none; color: inherit; }
header nav { display: flex; gap: 1.25rem; flex: 1; }
header .who { color: var(--quiet); display: flex; gap: .75rem; align-items: center; flex-wrap: wrap; }
main { padding-bottom: 2rem; }
footer { color: var(--quiet); font-size: .875rem; padding-bottom: 2rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1.25rem 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem; margin: 1rem 0; }
.card > :first-child { margin-top: 0; } .card > :last-child { margin-bottom: 0; }
dl.facts { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .35rem 1.25rem; margin: 0; }
dl.facts dt { color: var(--quiet); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 34rem) { dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: .6rem; } }
table { border-collapse: collapse; width: 100%; }
.scroll { overflow-x: auto; }
caption { text-align: left; color: var(--quiet); padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
tr:last-child th, tr:last-child td { border-bottom: 0; }
thead th { color: var(--quiet); font-weight: 600; font-size: .9rem; overflow-wrap: normal; white-space: nowrap; }
tbody th { font-weight: 400; min-width: 6.5rem; }
time { white-space: nowrap; }
details { margin-top: .9rem; }
code, pre, .mono { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .92em; overflow-wrap: anywhere; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: .35rem; padding: .75rem; margin: .5rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.value { font-weight: 600; white-space: pre-wrap; }
.quiet { color: var(--quiet); }
.hidden { background: var(--bad-paper); color: var(--bad); border: 1px solid currentColor; border-radius: .2rem; padding: 0 .2rem; font-size: .85em; }
.note { border-left: .3rem solid var(--line); padding: .6rem .9rem; margin: 1rem 0; background: var(--paper); }
.note.warn { border-color: var(--warn); background: var(--warn-paper); } .note.warn strong { color: var(--warn); }
.note.bad { border-color: var(--bad); background: var(--bad-paper); } .note.bad strong { color: var(--bad); }
.note.good { border-color: var(--good); background: var(--good-paper); } .note.good strong { color: var(--good); }
button { font: inherit; padding: .55rem 1.1rem; border-radius: .4rem; border: 1px solid var(--line); background: var(--paper); color: var(--ink); cursor: pointer; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); font-weight: 600; }
button.link { border: 0; background: none; padding: 0; color: var(--accent); text-decoration: underline; }
form { margin: 0; } .actions { display: flex; gap: 1rem; align-items: center; flex-wrap: wrap; }
.tag { border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .6rem; font-size: .875rem; white-space: nowrap; }
.tag.bad { color: var(--bad); border-color: currentColor; }
`;
