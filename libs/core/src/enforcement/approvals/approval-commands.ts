// SPDX-License-Identifier: Apache-2.0
import { DIGEST } from '../../canonical/digest.ts';
import type { JsonObject, JsonValue } from '../../canonical/json-value.ts';
import type { CommandChange } from '../../change/change-body.ts';
import { ID, METHOD, SHORT_TEXT, UUID } from '../../change/shape.ts';
import type { DecideInput } from '../decide-input.ts';
import { accepted, type Draft, refused } from '../draft.ts';
import { APPROVAL_MS_MAX, CHALLENGE_MEMORY_MS, GRANTS_MAX, KEY_COUNT_MAX } from '../limits.ts';
import { gradeOf, hasSecondFactor } from './grade.ts';
import { type Grant, heldKey, type PendingApproval, pendingKey } from './pending-approval.ts';
import { personOf } from './person.ts';

type Input = DecideInput<CommandChange>;

const APPROVAL_ID = /^[0-9a-f]{32}$/;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/;
const NAMED = /^[^\u0000-\u0020\u007f|]{1,200}$/;
const AMR_MAX = 16;

/** An approval certificate as it stands in the command. */
type Certificate = {
  readonly approval_id: string;
  readonly of: string;
  readonly route: string;
  readonly method: string;
  readonly target_digest: string;
  readonly payload_hash: string;
  readonly requester: string;
  readonly proof: 'oidc' | 'key';
  readonly approver_sso_sub: string;
  readonly idp_domain: string;
  readonly challenge_nonce: string;
  readonly amr: readonly string[];
  readonly mfa: boolean;
  readonly auth_time: number;
  readonly emergency: boolean;
  readonly ticket: string;
};

/** Whether the command is an emergency’s: an operator’s instead of an approver’s. */
export function isEmergency(command: JsonObject): boolean {
  return command['emergency'] === true;
}

/** One person’s approval of one held change; every way in which it does not fit has a code of its own. */
export function grantApproval(input: Input): Draft {
  const certificate = readCertificate(input.change.command);
  if (certificate === undefined) return refused('CLY_COMMAND_MALFORMED', 'commands');
  const { state, nowMs } = input;
  const held = state.get(heldKey(certificate.of));
  const key = pendingKey((held?.['binding'] ?? '') as string);
  const pending = state.get(key) as PendingApproval | undefined;
  if (pending === undefined || pending.expires_at <= nowMs) return refusal('CLY_APPROVAL_UNKNOWN', certificate);
  const wrong =
    bindingFault(certificate, pending) ?? proofFault(input, certificate) ?? personFault(input, certificate, pending);
  if (wrong !== undefined) return refusal(wrong, certificate);
  if (state.count('challenge') >= (KEY_COUNT_MAX['challenge'] ?? 0))
    return refused('CLY_STATE_FULL', 'state', 'challenge');
  const grants = [...pending.grants.filter((grant) => grant.expires_at > nowMs), grantOf(input, certificate)];
  if (grants.length > GRANTS_MAX) return refused('CLY_STATE_FULL', 'state', 'grants');
  return accepted([
    { op: 'put', key, value: { ...pending, grants } as unknown as JsonObject },
    { op: 'put', key: challengeKey(certificate), value: { expires_at: nowMs + CHALLENGE_MEMORY_MS } },
  ]);
}

function refusal(code: string, { of }: Certificate): Draft {
  return refused(code, 'approvals', of);
}

function challengeKey({ challenge_nonce: nonce }: Certificate): string {
  return `challenge/${nonce}`;
}

function bindingFault(certificate: Certificate, pending: PendingApproval): string | undefined {
  if (certificate.payload_hash !== pending.payload_hash) return 'CLY_APPROVAL_PAYLOAD';
  if (certificate.route !== pending.route || certificate.method !== pending.method) return 'CLY_APPROVAL_ROUTE';
  if (certificate.target_digest !== pending.target_digest) return 'CLY_APPROVAL_ROUTE';
  return certificate.requester === pending.actor ? undefined : 'CLY_APPROVAL_REQUESTER';
}

/** When, and how, the approver proved who they are. What a rule asks for beyond this is judged against that rule. */
function proofFault({ change, policy, nowMs, state }: Input, certificate: Certificate): string | undefined {
  const { issued_at: issuedAt, expires_at: expiresAt } = change.command;
  if ((expiresAt as number) - (issuedAt as number) > APPROVAL_MS_MAX) return 'CLY_APPROVAL_TTL';
  const used = state.get(challengeKey(certificate));
  if (used !== undefined && (used['expires_at'] as number) > nowMs) return 'CLY_APPROVAL_NONCE';
  if (policy === null) return 'CLY_POLICY_MOVED';
  if (certificate.emergency) return policy.break_glass.allowed ? undefined : 'CLY_APPROVAL_EMERGENCY';
  const rules = policy.approvals.filter(({ routes }) => routes.includes(certificate.route) || routes.includes('*'));
  for (const rule of rules) {
    if (rule.idp_domains.length > 0 && !rule.idp_domains.includes(certificate.idp_domain)) return 'CLY_APPROVAL_IDP';
    if (rule.mfa && !hasSecondFactor(certificate)) return 'CLY_APPROVAL_MFA';
    if (gradeFor(certificate) < rule.grade_min) return 'CLY_APPROVAL_GRADE';
  }
  const ages = rules.map((rule) => rule.login_age_seconds * 1_000);
  const tooOld = (issuedAt as number) - certificate.auth_time > Math.min(APPROVAL_MS_MAX, ...ages);
  return certificate.proof === 'oidc' && tooOld ? 'CLY_APPROVAL_LOGIN' : undefined;
}

function gradeFor(certificate: Certificate): Grant['grade'] {
  if (certificate.emergency) return 0;
  return certificate.proof === 'key' ? 1 : gradeOf(certificate);
}

/** Every name the approver goes by here: at the provider, or as the key that signed. */
function approverOf({ policy, signers }: Input, certificate: Certificate): string {
  const people = policy ?? { people: [] };
  if (certificate.proof === 'key') return personOf(people, signers[0]?.subject ?? '');
  const qualified = personOf(people, `${certificate.idp_domain}|${certificate.approver_sso_sub}`);
  return qualified === `${certificate.idp_domain}|${certificate.approver_sso_sub}`
    ? knownAs(people, certificate.approver_sso_sub, qualified)
    : qualified;
}

/** A `sub` alone may be somebody’s alias too; who is not listed stays qualified by the provider. */
function knownAs(policy: Parameters<typeof personOf>[0], sub: string, otherwise: string): string {
  const listed = policy.people.some(({ subject, aliases }) => subject === sub || aliases.includes(sub));
  return listed ? personOf(policy, sub) : otherwise;
}

function personFault(input: Input, certificate: Certificate, pending: PendingApproval): string | undefined {
  const policy = input.policy ?? { people: [] };
  const person = approverOf(input, certificate);
  const parties = [...pending.parties, pending.actor, pending.principal].map((name) => personOf(policy, name));
  const alike = [person, certificate.approver_sso_sub];
  if (alike.some((name) => parties.includes(name))) return 'CLY_APPROVAL_SELF';
  const again = pending.grants.some(
    (grant) => grant.expires_at > input.nowMs && personOf(policy, grant.person) === person,
  );
  return again ? 'CLY_APPROVAL_REPEATED' : undefined;
}

function grantOf(input: Input, certificate: Certificate): Grant {
  return {
    id: certificate.approval_id,
    person: approverOf(input, certificate),
    grade: gradeFor(certificate),
    mfa: hasSecondFactor(certificate),
    idp_domain: certificate.idp_domain,
    login_at: certificate.auth_time,
    granted_at: input.nowMs,
    expires_at: input.change.command['expires_at'] as number,
    emergency: certificate.emergency,
    ticket: certificate.ticket,
  };
}

/** Takes an approval back that was not used yet. */
export function revokeApproval({ change, state }: Input): Draft {
  const { of, approval_id: id } = change.command;
  if (!isText(of, UUID) || !isText(id, APPROVAL_ID)) return refused('CLY_COMMAND_MALFORMED', 'commands');
  const key = pendingKey((state.get(heldKey(of))?.['binding'] ?? '') as string);
  const pending = state.get(key) as PendingApproval | undefined;
  if (pending === undefined || !pending.grants.some((grant) => grant.id === id)) {
    return refused('CLY_APPROVAL_UNKNOWN', 'approvals', of);
  }
  const grants = pending.grants.filter((grant) => grant.id !== id);
  return accepted([{ op: 'put', key, value: { ...pending, grants } as unknown as JsonObject }]);
}

/** Somebody else has looked at what was done in an emergency. */
export function reviewEmergency(input: Input): Draft {
  const id = input.change.command['approval_id'];
  if (!isText(id, APPROVAL_ID)) return refused('CLY_COMMAND_MALFORMED', 'commands');
  const key = `emergency/${id}`;
  const emergency = input.state.get(key);
  if (emergency === undefined) return refused('CLY_EMERGENCY_UNKNOWN', 'approvals', id);
  const policy = input.policy ?? { people: [] };
  const own = input.signers.every(({ subject }) => personOf(policy, subject) === emergency['by']);
  return own ? refused('CLY_EMERGENCY_SELF', 'approvals', id) : accepted([{ op: 'delete', key }]);
}

function isText(value: JsonValue | undefined, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function readCertificate(command: JsonObject): Certificate | undefined {
  const emergency = isEmergency(command);
  const proof = command['proof'];
  const amr = command['amr'] ?? [];
  const texts: readonly (readonly [string, RegExp])[] = [
    ['approval_id', APPROVAL_ID],
    ['of', UUID],
    ['route', ID],
    ['method', METHOD],
    ['target_digest', DIGEST],
    ['payload_hash', DIGEST],
    ['requester', SHORT_TEXT],
    ['challenge_nonce', DIGEST],
    ...(proof === 'oidc'
      ? ([
          ['approver_sso_sub', NAMED],
          ['idp_domain', DOMAIN],
        ] as const)
      : []),
    ...(emergency ? ([['ticket', SHORT_TEXT]] as const) : []),
  ];
  if (!texts.every(([name, pattern]) => isText(command[name], pattern))) return undefined;
  if ((proof !== 'oidc' && proof !== 'key') || (emergency && proof !== 'key')) return undefined;
  if (!Array.isArray(amr) || amr.length > AMR_MAX || !amr.every((method) => isText(method as JsonValue, NAMED)))
    return undefined;
  const authTime = command['auth_time'] ?? 0;
  if (!Number.isSafeInteger(authTime) || (proof === 'oidc' && authTime === 0)) return undefined;
  const { approver_sso_sub: sub = '', idp_domain: domain = '', ticket = '' } = command;
  return {
    ...(command as unknown as Certificate),
    approver_sso_sub: sub as string,
    idp_domain: domain as string,
    ticket: ticket as string,
    amr: amr as readonly string[],
    mfa: command['mfa'] === true,
    auth_time: authTime as number,
    emergency,
    proof,
  };
}
