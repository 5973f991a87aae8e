// SPDX-License-Identifier: Apache-2.0
import { type Fragment, type Html, html } from './html.ts';
import type { Session } from './sessions.ts';

export type Page = { readonly title: string; readonly main: Html; readonly session?: Session | undefined };

/** The whole document. No script, no image, one style sheet: the CSP allows nothing else. */
export function documentOf({ title, main, session }: Page): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Clyra approvals</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<a class="brand" href="/">Clyra approvals</a>
${session === undefined ? undefined : signedInHeader(session)}
</header>
<main id="main">
${main}
</main>
<footer><p>Every approval is signed, recorded in the tenant’s log and part of its evidence. All times are UTC.</p></footer>
</body>
</html>
`;
  return page.text;
}

function signedInHeader({ person, formToken }: Session): Html {
  return html`<nav aria-label="Main"><a href="/">Waiting</a><a href="/emergencies">Emergencies</a></nav>
<div class="who"><span>${person.name} (${person.domain})</span>
<form method="post" action="/sign-out">${tokenField(formToken)}<button class="link">Sign out</button></form></div>`;
}

export function tokenField(formToken: string): Html {
  return html`<input type="hidden" name="token" value="${formToken}">`;
}

export type Tone = 'good' | 'bad' | 'warn';

/** `role`: a person who does not see the page hears it at once. */
export function note(tone: Tone, title: string, text: Fragment): Html {
  return html`<div class="note ${tone}" role="${tone === 'good' ? 'status' : 'alert'}"><strong>${title}</strong> ${text}</div>`;
}

/** `2026-11-28 13:05:09`, in UTC. */
export function instant(ms: number): Html {
  const text = new Date(ms).toISOString();
  return html`<time datetime="${text}">${text.slice(0, 19).replace('T', ' ')}</time>`;
}

export function facts(rows: readonly (readonly [string, Fragment])[]): Html {
  return html`<dl class="facts">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}
