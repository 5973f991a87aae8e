// SPDX-License-Identifier: Apache-2.0
// The ledger of journal.md §4 and the rules of §5 in the plainest way: small lists, searched and sorted anew each time.
import { canonical, type Loose } from './primitives.ts';

const OPERATIONS: readonly (readonly [string, string])[] = [
  ['insert', 'inserts'],
  ['update', 'updates'],
  ['delete', 'deletes'],
  ['truncate', 'truncates'],
  ['ddl', 'ddl'],
];

/** A ledger as lists of lines by kind; every list is bent freely by tests. */
export class PlainLedger {
  head: Loose;
  run: Loose[] = [];
  guarded: Loose[] = [];
  source: Loose[] = [];
  covered: Loose[] = [];
  blind_spot: Loose[] = [];
  seen: Loose[] = [];
  delegation: Loose[] = [];
  grant: Loose[] = [];
  pending: Loose[] = [];
  /** Guarded by any policy in force since the cut before. */
  since: Loose[] = [];

  constructor(genesis: string) {
    this.head = {
      v: 0,
      chain: { next_seq: 0, head: genesis },
      policy: null,
      trust_root: null,
      last_decided_at: 0,
      last_offset: -1,
      last_outcome_at: null,
    };
  }

  encode(): string {
    const lists: readonly (readonly [string, Loose[]])[] = [
      ['head', [this.head]],
      ['run', by(this.run, 'run_id')],
      ['guarded', by(this.guarded, 'source_id', 'relation')],
      ['source', by(this.source, 'source_id')],
      ['covered', by(this.covered, 'source_id', 'relation')],
      ['blind_spot', by(this.blind_spot, 'source_id', 'code', 'relation')],
      ['seen', by(this.seen, 'source_id', 'of')],
      ['delegation', this.delegation],
      ['grant', by(this.grant, 'token_hash')],
      ['pending', this.pending],
    ];
    return lists.flatMap(([kind, lines]) => lines.map((line) => `${canonical({ kind, ...line })}\n`)).join('');
  }

  activate(policy: string, document: Loose): void {
    this.head.policy = policy;
    this.guarded = document.guarded.flatMap((entry: Loose) =>
      entry.relations.map((relation: string) => ({ source_id: entry.source_id, relation })),
    );
    this.since.push(...this.guarded);
  }

  sourceOf(sourceId: string): Loose {
    const known = this.source.find((one) => one.source_id === sourceId);
    if (known !== undefined) {
      return known;
    }
    const made = { source_id: sourceId, registered: false, watermark: null, newest: null, coverage: null };
    this.source.push(made);
    return made;
  }

  observe(body: Loose, at: { leaf: number; appendTime: number }): void {
    if (body.kind === 'transaction') {
      const { system_id, timeline, commit_end_lsn: lsn } = body;
      this.sourceOf(body.source_id).newest = { system_id, timeline, lsn };
      this.#pend(body, at);
    } else if (body.kind === 'watermark') {
      this.sourceOf(body.source_id).watermark = { lsn: body.lsn, covers_until: body.covers_until };
    } else {
      this.#note(body);
    }
  }

  addGrants(receipt: Loose): void {
    for (const { token_hash, source_id, relations, operations, rows_max, expires_at } of receipt.grants ?? []) {
      if (!this.grant.some((one) => one.token_hash === token_hash)) {
        const { event_id, receipt_id, decided_at: not_before } = receipt;
        const known = { token_hash, source_id, relations, operations, rows_max, expires_at };
        this.grant.push({ ...known, event_id, receipt_id, not_before, used_by: null });
      }
    }
  }

  /** The `matched` lines of a cut, in leaf order; afterwards the ledger is that after the cut. */
  cut(appendTime: number): readonly Loose[] {
    const due = this.pending.filter((one) => one.append_time <= appendTime);
    this.pending = this.pending.filter((one) => one.append_time > appendTime);
    const matched = due.map((one) => this.#judge(one));
    this.grant = this.grant.filter((grant) => {
      const covers = this.source.find((one) => one.source_id === grant.source_id)?.watermark?.covers_until ?? 0;
      return covers <= grant.expires_at + 60_000 && grant.expires_at + 86_400_000 >= appendTime;
    });
    this.delegation = this.delegation.filter((one) => one.command.key.valid_to >= appendTime);
    this.since = [...this.guarded];
    return matched;
  }

  #pend(body: Loose, at: { leaf: number; appendTime: number }): void {
    const names = this.since.filter((one) => one.source_id === body.source_id).map((one) => one.relation);
    const touched = body.relations.filter(
      (one: Loose) => names.includes(nameOf(one)) || (nameOf(one) === '*.*' && names.length > 0),
    );
    if (touched.length > 0) {
      this.pending.push({
        observation_id: body.observation_id,
        leaf: at.leaf,
        append_time: at.appendTime,
        source_id: body.source_id,
        committed_at: body.committed_at,
        relations: touched.map(({ rows_digest: _, ...rest }: Loose) => rest),
        token_hashes: body.token_hashes,
      });
    }
  }

  #note(body: Loose): void {
    const { source_id, kind: of, observation_id } = body;
    this.seen = this.seen.filter((one) => one.source_id !== source_id || one.of !== of);
    this.seen.push({ source_id, of, observation_id });
    if (of === 'gap' || of === 'coverage') {
      this.sourceOf(source_id);
    }
    if (of === 'coverage') {
      this.sourceOf(source_id).coverage = { observation_id, scope: body.scope, lsn: body.lsn };
      const others = (list: Loose[]) => list.filter((one) => one.source_id !== source_id);
      this.covered = [...others(this.covered), ...body.relations.map((relation: string) => ({ source_id, relation }))];
      const spots = body.blind_spots.map((one: Loose) => ({
        source_id,
        code: one.code,
        relation: one.relation ?? null,
      }));
      this.blind_spot = [...others(this.blind_spot), ...spots];
    }
  }

  #judge(pending: Loose): Loose {
    const tokens: string[] = [...new Set<string>(pending.token_hashes)];
    const grants = tokens.map((token) => this.grant.find((one) => one.token_hash === token));
    const say = (status: string, reason: string, named: Loose) => ({
      v: 0,
      kind: 'matched',
      observation_id: pending.observation_id,
      leaf: pending.leaf,
      status,
      event_id: named?.event_id ?? null,
      receipt_id: named?.receipt_id ?? null,
      token_hash: named?.token_hash ?? null,
      reason,
    });
    if (tokens.length === 0) {
      return say('unattributed', 'no_token', null);
    }
    const unknown = tokens.find((_, index) => grants[index] === undefined);
    if (unknown !== undefined) {
      return say('claimed_unproved', 'token_unknown', { token_hash: unknown });
    }
    if (grants.some((one) => one.used_by !== null && one.used_by !== pending.observation_id)) {
      return say('reused', 'token_used', grants[0]);
    }
    for (const grant of grants) {
      grant.used_by = pending.observation_id;
    }
    const excess = excessOf(pending, grants);
    return excess === null ? say('matched', 'token_and_effect', grants[0]) : say('exceeded', excess, grants[0]);
  }
}

function excessOf(pending: Loose, grants: readonly Loose[]): string | null {
  const { relations, committed_at: at } = pending;
  const rows = relations.reduce((sum: number, one: Loose) => sum + one.inserts + one.updates + one.deletes, 0);
  const covers = (one: Loose, operation: string) =>
    grants.some((grant) => grant.relations.includes(nameOf(one)) && grant.operations.includes(operation));
  const isBeyond = (one: Loose) =>
    OPERATIONS.some(([operation, member]) => (one[member] ?? 0) > 0 && !covers(one, operation));
  const rules: readonly (readonly [string, boolean])[] = [
    ['source', grants.some((grant) => grant.source_id !== pending.source_id)],
    ['relation', relations.some((one: Loose) => !grants.some((grant) => grant.relations.includes(nameOf(one))))],
    ['operation', relations.some(isBeyond)],
    ['rows', rows > grants.reduce((sum, grant) => sum + grant.rows_max, 0)],
    ['time', grants.some((grant) => at < grant.not_before - 5_000 || at > grant.expires_at + 5_000)],
  ];
  return rules.find(([, holds]) => holds)?.[0] ?? null;
}

function nameOf(relation: Loose): string {
  return `${relation.schema}.${relation.name}`;
}

export function by(lines: readonly Loose[], ...members: readonly string[]): Loose[] {
  const key = (line: Loose) =>
    members.map((member) => (line[member] === null ? '' : `\u0001${line[member]}`)).join('\u0000');
  return [...lines].sort((left, right) => (key(left) < key(right) ? -1 : 1));
}
