// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import type { ChangeView, ShownPayload } from './change-view.ts';
import type { HeldChange } from './held-index.ts';
import { type Html, html, visible } from './html.ts';
import { facts, instant, note, tokenField } from './page-frame.ts';
import { wordsFor } from './refusal-words.ts';
import type { Session } from './sessions.ts';

/**
 * What is approved, and nothing that changes while a person reads: its digest stands in the certificate, so it must come
 * out the same when the button is pressed.
 */
export function changeSection({ held, facts: seen, target, payload }: ChangeView): Html {
  const rows: [string, Html | string][] = [
    ['Request', html`<code class="value">${seen.method} ${visible(target)}</code>`],
    ['Route', html`<code>${held.route}</code>`],
    [
      'Asked for by',
      html`<strong>${visible(held.actor)}</strong> <span class="quiet">with the credential</span> <code>${seen.principal}</code>`,
    ],
    ['Tenant', html`<code>${held.tenant}</code>`],
    ['Held since', instant(held.heldAtMs)],
    ['Can be approved until', instant(held.expiresAtMs)],
    [
      'Held because',
      html`${held.reasons.filter(({ effect }) => effect === 'hold').map(({ code, rule }) => html`<div>${wordsFor(code)} <span class="quiet">(<code>${code}</code>, rule <code>${rule}</code>)</span></div>`)}`,
    ],
  ];
  return html`<section class="card" aria-labelledby="what"><h2 id="what">What is asked for</h2>${facts(rows)}</section>
${payloadCard(payload, held.payloadHash)}`;
}

export function displayDigest(view: ChangeView): Digest {
  return digestOf(changeSection(view).text);
}

function payloadCard(payload: ShownPayload, hash: string): Html {
  if (payload.kind === 'empty') {
    return html`<section class="card" aria-labelledby="payload"><h2 id="payload">Payload</h2><p>The request has no payload.</p></section>`;
  }
  const { contentType, size, text, rows } = payload;
  const bytes = html`<pre tabindex="0" role="region" aria-label="Exact text of the payload">${visible(text)}</pre>`;
  return html`<section class="card" aria-labelledby="payload"><h2 id="payload">Payload</h2>
${
  rows === null
    ? bytes
    : html`<div class="scroll"><table><caption>Every value in the payload</caption>
<thead><tr><th scope="col">Where</th><th scope="col">Value</th></tr></thead>
<tbody>${rows.map(({ pointer, value }) => html`<tr><th scope="row"><code>${visible(pointer === '' ? '(the whole)' : pointer)}</code></th><td class="value">${visible(value)}</td></tr>`)}</tbody></table></div>
<details><summary>The exact text, ${size} bytes</summary>${bytes}</details>`
}
<p class="quiet">${visible(contentType)} · ${size} bytes · SHA-256 of its canonical form <code>${hash}</code></p></section>`;
}

export type ChangePageParts = {
  readonly view: ChangeView;
  readonly session: Session;
  readonly providerTitle: string;
  readonly nowMs: number;
  readonly problem?: Html | undefined;
};

export function changePage({ view, session, providerTitle, nowMs, problem }: ChangePageParts): Html {
  const { held, facts: seen } = view;
  return html`<h1>Approve ${seen.method} ${visible(view.target)}?</h1>
${problem}
${changeSection(view)}
${approvalsCard(held, session, nowMs)}
<section class="card" aria-labelledby="decide"><h2 id="decide">Your decision</h2>
<p>Approve only what you know to be right: ask the person who wants it by a way you already have, never by a link or number in the request.
${providerTitle} will ask you to sign in once more; that sign-in is bound to exactly what stands above and cannot be used for anything else.</p>
<form method="post" action="${pathOf(held)}/approve">${tokenField(session.formToken)}
<input type="hidden" name="shown" value="${displayDigest(view)}">
<div class="actions"><button class="main">Approve and sign in</button><a href="/">Leave it waiting</a></div></form></section>`;
}

function approvalsCard(held: HeldChange, { person, formToken }: Session, nowMs: number): Html {
  const live = held.approvals.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  const own = `${person.domain}|${person.subject}`;
  const rows = live.map(
    ({
      id,
      approver,
      givenAtMs,
      expiresAtMs,
    }) => html`<tr><th scope="row">${visible(approver)}</th><td>${instant(givenAtMs)}</td><td>${instant(expiresAtMs)}</td>
<td>${approver === own ? html`<form method="post" action="${pathOf(held)}/revoke">${tokenField(formToken)}<input type="hidden" name="approval" value="${id}"><button class="link">Take back</button></form>` : undefined}</td></tr>`,
  );
  return html`<section class="card" aria-labelledby="who"><h2 id="who">Approvals</h2>
<p>${held.need === 1 ? 'One person' : `${held.need} different people`} must approve${held.gradeMin > 1 ? ', with a second factor' : ''}; so far ${live.length === 0 ? 'nobody has' : live.length === 1 ? 'one has' : `${live.length} have`}.</p>
${live.length === 0 ? undefined : html`<div class="scroll"><table><thead><tr><th scope="col">Who</th><th scope="col">Given</th><th scope="col">Good until</th><th scope="col">Yours</th></tr></thead><tbody>${rows}</tbody></table></div>`}</section>`;
}

export function pathOf({ tenant, of }: Pick<HeldChange, 'tenant' | 'of'>): string {
  return `/changes/${tenant}/${of}`;
}

/** Shown where the change has another face than the one that was looked at. */
export function changedNote(): Html {
  return note(
    'warn',
    'This is not what you saw before.',
    'Something about the request changed while you read it. Look again.',
  );
}
