// SPDX-License-Identifier: Apache-2.0
import { PlainLedger } from './plain-ledger.ts';
import {
  auditPath,
  canonical,
  digestOf,
  hexOf,
  type Loose,
  makeKey,
  signPae,
  type TestKey,
  treeRoot,
} from './primitives.ts';

export const TENANT = 'acme';
export const STREAM = 'ab'.repeat(16);
export const ENGINE = 1;

/** Hooks that bend what is built. Bodies are bent before they are chained and signed, lines after. */
export interface Edits {
  readonly change?: (body: Loose, index: number) => void;
  readonly receipt?: (body: Loose, index: number) => void;
  readonly observation?: (body: Loose, index: number) => void;
  readonly line?: (line: Loose, index: number) => void;
  readonly lines?: (lines: Loose[]) => void;
  readonly rawLines?: (lines: string[]) => void;
  readonly manifest?: (manifest: Loose) => void;
  readonly trustRoot?: (root: Loose) => void;
  readonly statement?: (statement: Loose) => void;
  readonly envelope?: (envelope: Loose) => void;
  readonly policy?: (document: Loose) => void;
  readonly ledger?: (ledger: PlainLedger) => void;
  /** Lines that stand between the scenario's and the end of its run. */
  readonly more?: (builder: LogBuilder) => void;
}

export type Keys = Record<string, TestKey> & Record<'intake' | 'enforcer' | 'recorder' | 'log' | 'bundler', TestKey>;

export function makeKeys(): Keys {
  return {
    intake: makeKey(['intake'], 'intake'),
    enforcer: makeKey(['enforcer'], 'enforcer'),
    recorder: makeKey(['recorder'], 'recorder'),
    log: makeKey(['log'], 'bundler'),
    bundler: makeKey(['bundler'], 'bundler'),
    attestor: makeKey(['attestor'], 'attestor'),
    operator: makeKey(['operator'], 'olga'),
    operator2: makeKey(['operator'], 'carl'),
    author: makeKey(['policy_author'], 'ann'),
    approver: makeKey(['policy_approver'], 'ben'),
    delegator: makeKey(['delegator', 'intake', 'recorder'], 'kms'),
    witness: makeKey(['witness'], 'wanda', { operator: 'elsewhere', name: 'witness.example/w1' }),
  };
}

const TYPES = {
  intake: 'application/vnd.clyra.change.v0+json',
  enforcer: 'application/vnd.clyra.receipt.v0+json',
  recorder: 'application/vnd.clyra.observation.v0+json',
};
const SEND = 3;

interface Unsigned {
  readonly holder: Loose;
  readonly by: keyof typeof TYPES;
  /** Another key than that of the role. */
  readonly key?: TestKey | undefined;
}

/** Writes a tenant's journal lines: bodies, chains, ledger and, in `finishLines`, signature blocks. */
export class LogBuilder {
  readonly keys: Keys;
  readonly edits: Edits;
  readonly policy: string;
  ledger: PlainLedger;
  lines: Loose[] = [];
  /** Of the range, in the whole log. */
  start = 0;
  timeMs = 1_000_000;
  offset = -1;
  #unsigned: Unsigned[] = [];
  #events = 0;

  constructor(keys: Keys, edits: Edits) {
    this.keys = keys;
    this.edits = edits;
    this.ledger = new PlainLedger(hexOf(`clyra/tenant/v0\n${STREAM}\n${TENANT}`));
    const document = { guarded: [{ source_id: 'pg', relations: ['public.orders'] }], note: 'caf\u00e9' };
    edits.policy?.(document);
    this.policy = canonical(document);
  }

  get policyDigest(): string {
    return hexOf(this.policy);
  }

  /** A change and the receipt that answers it; returns the line. */
  decide(kind: string, parts: { change: Loose; receipt: Loose; run?: string | undefined; key?: TestKey }): Loose {
    const { change, receipt, run: runId } = parts;
    this.timeMs += 10;
    this.#events += 1;
    const event = `00000000-0000-7000-8000-${String(this.#events + (this.offset + 1) * 1_000).padStart(12, '0')}`;
    const body: Loose = {
      v: 0,
      kind,
      tenant: TENANT,
      event_id: event,
      intake: { instance: 'i1', epoch: 1 },
      intake_at: this.timeMs - 1,
      ...change,
    };
    this.edits.change?.(body, this.lines.length);
    const answer = this.#receipt(body, receipt, runId);
    this.edits.receipt?.(answer, this.lines.length);
    const line: Loose = {
      v: 0,
      kind: 'decided',
      append_time: this.timeMs,
      change: { body, sig: null },
      receipt: { body: answer, sig: null },
    };
    this.#fold(line);
    this.#unsigned.push({ holder: line.change, by: 'intake', key: parts.key });
    if (answer.kind === 'decided') {
      this.#unsigned.push({ holder: line.receipt, by: 'enforcer' });
    }
    this.lines.push(line);
    return line;
  }

  observe(kind: string, members: Loose, key?: TestKey): Loose {
    this.timeMs += 10;
    const body: Loose = { v: 0, kind, tenant: TENANT, source_id: 'pg', ...members };
    body.observation_id ??= idOf(body);
    this.edits.observation?.(body, this.lines.length);
    const line: Loose = { v: 0, kind: 'observed', append_time: this.timeMs, observation: { body, sig: null } };
    this.ledger.observe(body, { leaf: this.start + this.lines.length, appendTime: this.timeMs });
    this.#unsigned.push({ holder: line.observation, by: 'recorder', key });
    this.lines.push(line);
    return line;
  }

  command(kind: string, members: Loose, by: { signers: readonly TestKey[]; subject: string; receipt?: Loose }): Loose {
    const { signers, subject, receipt = {} } = by;
    const times = { issued_at: this.timeMs, expires_at: this.timeMs + 60_000 };
    const command = { kind, tenant: TENANT, ...times, subject, replaces: null, ...members };
    const payload = Buffer.from(canonical(command));
    const signatures = signers.map((key) => ({
      key_id: key.keyId,
      sig: signPae(key, 'application/vnd.clyra.command.v0+json', payload),
    }));
    return this.decide(kind, { change: { command, signatures }, receipt });
  }

  /** Ends the range: the derived lines, then the cut itself. */
  cut(kind: string, parts: { change: Loose; receipt: Loose; run?: string }): Loose {
    const cutTime = this.timeMs + 10;
    for (const match of this.ledger.cut(cutTime)) {
      this.lines.push({ kind: 'matched', ...match });
    }
    return this.decide(kind, parts);
  }

  /** Signs all bodies, in sends of three of one role, and applies the edits of lines. */
  finishLines(): { readonly lines: readonly Loose[]; readonly raw: readonly string[] } {
    for (const role of Object.keys(TYPES) as (keyof typeof TYPES)[]) {
      const own = this.#unsigned.filter(({ by, key }) => by === role && key === undefined).map(({ holder }) => holder);
      for (let from = 0; from < own.length; from += SEND) {
        signSend(own.slice(from, from + SEND), this.keys[role], TYPES[role]);
      }
    }
    for (const { holder, by, key } of this.#unsigned) {
      if (key !== undefined) {
        signSend([holder], key, TYPES[by]);
      }
    }
    this.#unsigned = [];
    const lines = this.lines;
    this.lines = [];
    for (const [index, line] of lines.entries()) {
      this.edits.line?.(line, index);
    }
    this.edits.lines?.(lines);
    const raw = lines.map(canonical);
    this.edits.rawLines?.(raw);
    return { lines, raw };
  }

  #receipt(change: Loose, members: Loose, runId: string | undefined): Loose {
    const previous = this.offset;
    this.offset += 2;
    const { chain } = this.ledger.head;
    const isRecorded = members.effect !== undefined;
    const decided = {
      decision: 'allow',
      mode: 'gate',
      reasons: [],
      policy_digest: this.ledger.head.policy,
      engine: ENGINE,
    };
    const run = runId === undefined ? undefined : this.#runOf(runId);
    return {
      v: 0,
      kind: isRecorded ? 'recorded' : 'decided',
      change_kind: change.kind,
      receipt_id: hexOf(`${STREAM}\n0\n${this.offset}`).slice(0, 32),
      event_id: change.event_id,
      tenant: TENANT,
      tenant_seq: chain.next_seq,
      tenant_prev: chain.head,
      stream_id: STREAM,
      partition: 0,
      offset: this.offset,
      previous_offset: previous === -1 ? 0 : this.offset - 1,
      change_digest: hexOf(canonical(change)),
      decided_at: this.timeMs,
      ...(isRecorded ? {} : decided),
      ...(run === undefined ? {} : { run_id: runId, seq: run.next_seq, prev: run.head }),
      ...members,
    };
  }

  #runOf(runId: string): Loose {
    const genesis = hexOf(`clyra/run/v0\n${TENANT}\n${runId}`);
    return this.ledger.run.find((run) => run.run_id === runId) ?? { next_seq: 0, head: genesis };
  }

  #fold({ change, receipt: { body }, append_time: appendTime }: Loose): void {
    const { head } = this.ledger;
    const link = hexOf(`clyra/prev/v0\n${canonical(body)}`);
    head.chain = { next_seq: body.tenant_seq + 1, head: link };
    head.last_offset = body.offset;
    head.last_decided_at = body.decided_at;
    if (body.change_kind === 'change.outcome') {
      head.last_outcome_at = appendTime;
    }
    if (body.run_id !== undefined) {
      this.ledger.run = this.ledger.run.filter((run) => run.run_id !== body.run_id);
      if (body.change_kind !== 'run.closed' || body.decision !== 'allow') {
        this.ledger.run.push({ run_id: body.run_id, next_seq: body.seq + 1, head: link });
      }
    }
    if (body.decision === 'allow') {
      this.#foldAllowed(change.body, body, appendTime);
    }
  }

  #foldAllowed(change: Loose, receipt: Loose, appendTime: number): void {
    const { command, kind, signatures } = change;
    if (kind === 'tenant.opened' || kind === 'policy.activated') {
      this.ledger.activate(
        command.policy,
        command.policy === this.policyDigest ? JSON.parse(this.policy) : { guarded: [] },
      );
    }
    if (kind === 'tenant.opened' || kind === 'trust_root.activated') {
      // One that names none sets none.
      this.ledger.head.trust_root = command.trust_root ?? this.ledger.head.trust_root;
    }
    if (kind === 'source.registered') {
      this.ledger.sourceOf(command.source_id).registered = true;
    }
    if (kind === 'key.delegated') {
      this.ledger.delegation.push({ append_time: appendTime, command, signatures });
    }
    if (kind === 'change.requested') {
      this.ledger.addGrants(receipt);
    }
  }
}

/** The id that follows from a body (records.md §6). */
export function idOf(body: Loose): string {
  const half = (text: string) => hexOf(text).slice(0, 32);
  if (body.kind === 'transaction') {
    return half(`${body.system_id}\n${body.timeline}\n${body.commit_end_lsn}\n0`);
  }
  if (body.kind === 'watermark') {
    return half(`${body.system_id}\n${body.timeline}\n${body.lsn}\n${body.covers_until}`);
  }
  const { observation_id: _, ...rest } = body;
  return half(canonical(rest));
}

function signSend(holders: readonly Loose[], key: TestKey, type: string): void {
  const leaves = holders.map((holder) => digestOf(canonical(holder.body)));
  const payload = Buffer.from(canonical({ root: treeRoot(leaves).toString('hex'), size: leaves.length }));
  const sig = signPae(key, type, payload);
  for (const [index, holder] of holders.entries()) {
    const path = auditPath(index, leaves).map((hash) => hash.toString('hex'));
    holder.sig = { index, key_id: key.keyId, path, sig, size: leaves.length };
  }
}
