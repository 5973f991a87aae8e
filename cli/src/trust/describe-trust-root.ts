// SPDX-License-Identifier: Apache-2.0
import { verifierKey } from '@clyra/core/evidence/note';
import type { TrustedKey, TrustRoot } from '@clyra/core/signing/trust-root';
import { textTable } from '../text-table.ts';

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function standing(entry: { validFromMs: number; validToMs: number; revokedAtMs: number | undefined }): string {
  const window = `${day(entry.validFromMs)} to ${day(entry.validToMs)}`;
  return entry.revokedAtMs === undefined ? window : `${window}, revoked ${new Date(entry.revokedAtMs).toISOString()}`;
}

/** A trust root for a person who compares it with what they were given. */
export function describeTrustRoot(root: TrustRoot): string {
  const { thresholds } = root;
  const keys = [...root.keys.values()].map((key) => [
    key.keyId,
    [...key.roles].join(' '),
    key.name ?? key.subject,
    key.operator,
    standing(key),
  ]);
  const authorities = root.timeAuthorities.map((one) => [one.name, one.operator, standing(one)]);
  return [
    `trust root version ${root.version} of ${root.logOrigin}`,
    `digest     ${root.digest}`,
    `issued     ${new Date(root.issuedAtMs).toISOString()}, expires ${new Date(root.expiresAtMs).toISOString()}`,
    `thresholds ${thresholds.root} root subjects, ${thresholds.tsa} TSA operators, ${thresholds.witness} witness operators`,
    ...(root.singleOperator ? ['one person may hold all keys (single_operator)'] : []),
    '',
    textTable(['key', 'roles', 'who', 'operator', 'valid'], keys),
    ...(authorities.length === 0 ? [] : [textTable(['time authority', 'operator', 'valid'], authorities)]),
  ].join('\n');
}

/** The witness rule of this trust root for one tenant's log, as C2SP tlog-policy (docs/spec/trust.md §7). */
export function tlogPolicy(root: TrustRoot, tenant: string): string {
  const origin = `${root.logOrigin}/${tenant}`;
  const keys = [...root.keys.values()].filter((key) => key.revokedAtMs === undefined);
  const logs = keys.filter((key) => key.roles.has('log'));
  const inside = new Set(logs.map(({ operator }) => operator));
  const groups = new Map<string, TrustedKey[]>();
  for (const key of keys) {
    if (!key.roles.has('witness') || inside.has(key.operator)) continue;
    groups.set(key.operator, [...(groups.get(key.operator) ?? []), key]);
  }
  const lines = logs.map((key) => `log ${verifierKey(origin, 'ed25519', key.publicKey)}`);
  const names: string[] = [];
  for (const [index, members] of [...groups.values()].entries()) {
    const own = members.map((key, at) => ({ id: `w${index}-${at}`, key }));
    for (const { id, key } of own) {
      lines.push(`witness ${id} ${verifierKey(key.name ?? '', 'cosignature', key.publicKey)}`);
    }
    names.push(`operator-${index}`);
    lines.push(`group operator-${index} any ${own.map(({ id }) => id).join(' ')}`);
  }
  const needed = root.thresholds.witness;
  // Fewer operators than the rule asks for: a quorum that nobody can reach has no form there, so the group names all.
  if (names.length > 0) lines.push(`group outside ${Math.min(needed, names.length)} ${names.join(' ')}`);
  lines.push(names.length > 0 ? 'quorum outside' : 'quorum none');
  return `${lines.join('\n')}\n`;
}
