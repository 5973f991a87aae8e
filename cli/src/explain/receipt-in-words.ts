// SPDX-License-Identifier: Apache-2.0
import type {
  DecidedBody,
  PoisonedBody,
  Reason,
  ReceiptBody,
  RecordedBody,
} from '@clyra/core/enforcement/receipt-body';
import { reasonWords } from './reason-words.ts';

/** A receipt for a person: what was asked, what was decided, by which rule, and what to do next. */
export function receiptInWords(receipt: ReceiptBody, outcome?: string): string {
  const lines = [...asked(receipt), '', ...decided(receipt), ...followed(receipt, outcome), '', ...proof(receipt)];
  return `${lines.join('\n')}\n`;
}

function asked(receipt: ReceiptBody): string[] {
  const about = receipt.kind === 'decided' ? requestLines(receipt) : [];
  return [
    `Asked    ${receipt.change_kind} of tenant ${receipt.tenant}`,
    `         event ${receipt.event_id}${receipt.run_id === undefined ? '' : ` in run ${receipt.run_id}`}`,
    ...about,
  ];
}

function requestLines(receipt: DecidedBody): string[] {
  const lines: string[] = [];
  if (receipt.actor !== undefined) lines.push(`         by actor ${receipt.actor}`);
  if (receipt.route !== undefined) lines.push(`         on route ${receipt.route}`);
  if (receipt.payload_digest !== undefined) lines.push(`         body SHA-256 ${receipt.payload_digest}`);
  if (receipt.supersedes !== undefined) lines.push(`         instead of event ${receipt.supersedes}`);
  return lines;
}

const VERDICT = { allow: 'ALLOWED', block: 'BLOCKED', hold: 'HELD' } as const;

function decided(receipt: ReceiptBody): string[] {
  switch (receipt.kind) {
    case 'decided':
      return decisionLines(receipt);
    case 'recorded':
      return [`Recorded ${recordedText(receipt)}`];
    case 'poisoned':
      return poisonLines(receipt);
  }
}

function decisionLines(receipt: DecidedBody): string[] {
  const review = receipt.mode === 'review' ? ' (review: only looked on, nothing was stopped)' : '';
  const at = new Date(receipt.decided_at).toISOString();
  return [
    `Decided  ${VERDICT[receipt.decision]}${review} at ${at}`,
    `         under policy ${receipt.policy_digest ?? 'none'}, engine ${receipt.engine}`,
    ...receipt.reasons.flatMap(reasonLines),
    ...(receipt.reasons.length === 0 && receipt.decision === 'allow' ? ['         no rule objected'] : []),
    ...(receipt.duplicate_of === undefined ? [] : [`         the same as event ${receipt.duplicate_of}; counted once`]),
    ...(receipt.velocity ?? []).flatMap(velocityLines),
    ...(receipt.grants ?? []).map(
      (grant) =>
        `         grants ${grant.operations.join(', ')} on ${grant.relations.join(', ')} of ${grant.source_id}, ` +
        `at most ${grant.rows_max} rows, until ${new Date(grant.expires_at).toISOString()}`,
    ),
  ];
}

function reasonLines({ code, effect, rule, detail, owasp, threat_class: threat }: Reason): string[] {
  const words = reasonWords(code);
  const about = owasp.length === 0 ? threat : `${threat}; ${owasp.join(', ')}`;
  return [
    `         ${effect} by ${rule}: ${words?.means ?? 'see the reference of error codes'}${detail === undefined ? '' : ` (${detail})`}`,
    `           ${code} · ${about}`,
  ];
}

const EFFECTS: Readonly<Record<RecordedBody['effect'], string>> = {
  done: 'that the change was made',
  failed: 'that the change failed at its target',
  returned: 'that the change was not forwarded; what it had spent is given back',
  remembered: 'an outcome that came before its change',
  ticked: 'that time went on',
  ignored: 'nothing: it changes no state',
};

function recordedText(receipt: RecordedBody): string {
  return `${EFFECTS[receipt.effect]}${receipt.of === undefined ? '' : ` (event ${receipt.of})`}`;
}

function poisonLines(receipt: PoisonedBody): string[] {
  return [
    `Refused  as unreadable: ${reasonWords(receipt.reason)?.means ?? receipt.reason} (${receipt.reason})`,
    `         ${receipt.record_size} bytes with SHA-256 ${receipt.record_digest}; a copy is in quarantine`,
  ];
}

/** The outcome says what came of an allowed change; a refusal says what its sender can do. */
function followed(receipt: ReceiptBody, outcome: string | undefined): string[] {
  if (receipt.kind !== 'decided') return [];
  if (receipt.decision === 'allow') return outcome === undefined ? [] : [`Outcome  ${outcome}`];
  const steps = new Set(receipt.reasons.map(({ code }) => reasonWords(code)?.next ?? 'Ask the operator.'));
  return ['', ...[...steps].map((step, index) => `${index === 0 ? 'Next     ' : '         '}${step}`)];
}

function proof(receipt: ReceiptBody): string[] {
  return [
    `Proof    receipt ${receipt.receipt_id}, number ${receipt.tenant_seq} of the tenant's log`,
    `         stream ${receipt.stream_id}, partition ${receipt.partition}, offset ${receipt.offset}`,
  ];
}

function velocityLines(field: NonNullable<DecidedBody['velocity']>[number]): string[] {
  const { rule, limit, remaining, window_seconds: seconds, reset_ms: resetMs, amount } = field;
  const more = `more in ${Math.ceil(resetMs / 1_000)} s`;
  const actions = limit === undefined ? [] : [`${remaining ?? 0} of ${limit} left in ${seconds} s, ${more}`];
  const sums =
    amount === undefined ? [] : [`${amount.remaining} of ${amount.limit} ${amount.currency} left in ${seconds} s`];
  return [...actions, ...sums].map((text) => `         rate limit ${rule}: ${text}`);
}
