// SPDX-License-Identifier: Apache-2.0
import type { Provider } from './approval-desk.ts';
import { pathOf } from './change-page.ts';
import type { Emergency, HeldChange } from './held-index.ts';
import { type Html, html, visible } from './html.ts';
import { facts, instant, note } from './page-frame.ts';
import { wordsFor } from './refusal-words.ts';
import type { ApprovalResult } from './sessions.ts';

const LISTED_MAX = 500;

export function signInPage(providers: readonly Provider[], returnTo: string): Html {
  return html`<h1>Sign in to see what waits for approval</h1>
<div class="card"><p>You approve changes under your own name. Choose where you sign in.</p>
<div class="actions">${providers.map(
    ({
      settings,
    }) => html`<form method="post" action="/sign-in"><input type="hidden" name="provider" value="${settings.name}">
<input type="hidden" name="return" value="${returnTo}"><button class="main">Sign in with ${settings.title}</button></form>`,
  )}</div></div>`;
}

export function listPage(held: readonly HeldChange[], nowMs: number): Html {
  if (held.length === 0)
    return html`<h1>Nothing waits for approval</h1><p>A change that the policy holds appears here.</p>`;
  const rows = held.slice(0, LISTED_MAX).map((change) => {
    const given = change.approvals.filter(({ expiresAtMs }) => expiresAtMs > nowMs).length;
    return html`<tr><th scope="row"><a href="${pathOf(change)}">${change.route}</a><br><span class="quiet mono">${change.of}</span></th>
<td>${visible(change.actor)}</td><td>${change.tenant}</td><td>${instant(change.heldAtMs)}</td><td>${given} of ${change.need}</td><td>${instant(change.expiresAtMs)}</td></tr>`;
  });
  return html`<h1>${held.length === 1 ? 'One change waits' : `${held.length} changes wait`} for approval</h1>
<div class="card scroll"><table><thead><tr><th scope="col">Route and change</th><th scope="col">Asked for by</th><th scope="col">Tenant</th><th scope="col">Held since</th><th scope="col">Approvals</th><th scope="col">Until</th></tr></thead>
<tbody>${rows}</tbody></table></div>
${held.length > LISTED_MAX ? html`<p>Only the oldest ${LISTED_MAX} are listed.</p>` : undefined}`;
}

export function emergenciesPage(emergencies: readonly Emergency[], nowMs: number): Html {
  const intro = html`<p>An operator may let a held change through alone, with a ticket. Somebody else looks at it afterwards and signs
<code>clyra emergency review</code> with a key of their own.</p>`;
  if (emergencies.length === 0) return html`<h1>No emergency waits for review</h1>${intro}`;
  const rows = emergencies.map(
    (
      one,
    ) => html`<tr><th scope="row" class="mono">${one.approvalId}</th><td>${visible(one.ticket)}</td><td>${visible(one.by)}</td><td>${one.tenant}</td>
<td>${instant(one.reviewByMs)} ${one.reviewByMs <= nowMs ? html`<span class="tag bad">overdue</span>` : undefined}</td></tr>`,
  );
  return html`<h1>Emergencies that nobody has reviewed</h1>${intro}
<div class="card scroll"><table><thead><tr><th scope="col">Approval</th><th scope="col">Ticket</th><th scope="col">Let through by</th><th scope="col">Tenant</th><th scope="col">Review by</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** After the sign-in: what the log says about the approval. */
export function resultPage({ tenant, of, receipt }: ApprovalResult, held: HeldChange | undefined, nowMs: number): Html {
  const place: (readonly [string, Html | string])[] = [
    ['Change', html`<code>${of}</code>`],
    ['Receipt', html`<code>${receipt.receipt_id}</code>`],
    ['Recorded', instant(receipt.decided_at)],
  ];
  const back = html`<p class="actions"><a href="${pathOf({ tenant, of })}">Back to the change</a><a href="/">All that waits</a></p>`;
  if (receipt.decision !== 'allow') {
    const code = receipt.reasons[0]?.code ?? '';
    return html`<h1>Your approval does not count</h1>${note('bad', wordsFor(code), html`<code>${code}</code>`)}
<div class="card">${facts(place)}</div>${back}`;
  }
  if (receipt.change_kind === 'approval.revoked') {
    return html`<h1>Your approval is taken back</h1><div class="card">${facts(place)}</div>${back}`;
  }
  const given = held?.approvals.filter(({ expiresAtMs }) => expiresAtMs > nowMs).length ?? 1;
  const missing = (held?.need ?? 1) - given;
  const next =
    missing > 0
      ? `${missing === 1 ? 'One more person' : `${missing} more people`} must approve before it can be sent.`
      : 'Enough people have approved: the same request goes through once when it is sent again within 15 minutes.';
  return html`<h1>Your approval is recorded</h1>${note('good', 'Thank you.', next)}<div class="card">${facts(place)}</div>${back}`;
}

export function problemPage(title: string, code: string, words: string): Html {
  return html`<h1>${title}</h1>${note('bad', words, html`<code>${code}</code>`)}<p><a href="/">Back to the start</a></p>`;
}
