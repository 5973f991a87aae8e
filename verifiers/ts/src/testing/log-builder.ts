// SPDX-License-Identifier: Apache-2.0
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
export const ENGINE = 'engine-1';

/** Hooks that bend what is built. Bodies are bent before they are chained and signed, lines after. */
export interface Edits {
  readonly change?: (body: Loose, index: number) => void;
  readonly receipt?: (body: Loose, index: number) => void;
  readonly observation?: (body: Loose, index: number) => void;
  readonly line?: (line: Loose, index: number) => void;
  readonly lines?: (lines: Loose[]) => void;
  readonly rawLines?: (lines: string[]) => void;
  readonly manifest?: (manifest: Loose) => void;
  readonly ledger?: (ledger: Loose) => void;
  readonly trustRoot?: (root: Loose) => void;
  readonly statement?: (statement: Loose) => void;
  readonly policy?: (document: Loose) => void;
  /** The ledger that a second bundle starts from. */
  readonly opening?: (ledger: Loose) => void;
}

export type Keys = Record<
  'intake' | 'enforcer' | 'recorder' | 'log' | 'bundler' | 'operator' | 'author' | 'approver',
  TestKey
>;

export function makeKeys(): Keys {
  return {
    intake: makeKey(['intake'], 'intake'),
    enforcer: makeKey(['enforcer'], 'enforcer'),
    recorder: makeKey(['recorder'], 'recorder'),
    log: makeKey(['log'], 'bundler'),
    bundler: makeKey(['bundler'], 'bundler'),
    operator: makeKey(['operator'], 'olga'),
    author: makeKey(['policy_author'], 'ann'),
    approver: makeKey(['policy_approver'], 'ben'),
  };
}

const TYPES = {
  intake: 'application/vnd.clyra.change.v0+json',
  enforcer: 'application/vnd.clyra.receipt.v0+json',
  recorder: 'application/vnd.clyra.observation.v0+json',
};

interface Unsigned {
  readonly holder: Loose;
  readonly by: keyof typeof TYPES;
}

/** Writes a tenant's journal lines: bodies, chains and, in `finishLines`, signature blocks. */
export class LogBuilder {
  readonly keys: Keys;
  readonly edits: Edits;
  readonly policy: string;
  lines: Loose[] = [];
  timeMs = 1_000_000;
  offset = -1;
  seq = 0;
  head: string = hexOf(`clyra/tenant/v0\n${STREAM}\n${TENANT}`);
  readonly runs = new Map<string, { next_seq: number; head: string }>();
  policyInForce: string | null = null;
  #unsigned: Unsigned[] = [];
  #events = 0;

  constructor(keys: Keys, edits: Edits) {
    this.keys = keys;
    this.edits = edits;
    const document = {
      guarded: [{ source_id: 'pg', relations: ['public.orders', 'public.refunds'] }],
      note: 'caf\u00e9',
    };
    edits.policy?.(document);
    this.policy = canonical(document);
  }

  get policyDigest(): string {
    return hexOf(this.policy);
  }

  /** A change and the receipt that answers it; returns the line. */
  decide(kind: string, parts: { change: Loose; receipt: Loose; run?: string | undefined }): Loose {
    const { change, receipt, run: runId } = parts;
    this.timeMs += 10;
    this.#events += 1;
    const event = `00000000-0000-7000-8000-${String(this.#events + this.offset * 1_000).padStart(12, '0')}`;
    const changeBody = {
      v: 0,
      kind,
      tenant: TENANT,
      event_id: event,
      intake: { instance: 'i1', epoch: 1 },
      intake_at: this.timeMs - 1,
      ...change,
    };
    this.edits.change?.(changeBody, this.lines.length);
    const previous = this.offset;
    this.offset += 2;
    const isRecorded = receipt.effect !== undefined;
    const body: Loose = {
      v: 0,
      kind: isRecorded ? 'recorded' : 'decided',
      change_kind: kind,
      receipt_id: hexOf(`${STREAM}\n0\n${this.offset}`).slice(0, 32),
      event_id: event,
      tenant: TENANT,
      tenant_seq: this.seq,
      tenant_prev: this.head,
      stream_id: STREAM,
      partition: 0,
      offset: this.offset,
      previous_offset: previous === -1 ? 0 : this.offset - 1,
      change_digest: hexOf(canonical(changeBody)),
      decided_at: this.timeMs,
      ...(isRecorded
        ? {}
        : { decision: 'allow', mode: 'gate', reasons: [], policy_digest: this.policyInForce, engine: ENGINE }),
      ...receipt,
    };
    if (runId !== undefined) {
      const run = this.runs.get(runId) ?? { next_seq: 0, head: hexOf(`clyra/run/v0\n${TENANT}\n${runId}`) };
      Object.assign(body, { run_id: runId, seq: run.next_seq, prev: run.head });
    }
    this.edits.receipt?.(body, this.lines.length);
    this.#link(body);
    const line: Loose = {
      v: 0,
      kind: 'decided',
      append_time: this.timeMs,
      change: { body: changeBody, sig: null },
      receipt: { body, sig: null },
    };
    this.#unsigned.push({ holder: line.change, by: 'intake' });
    if (!isRecorded) {
      this.#unsigned.push({ holder: line.receipt, by: 'enforcer' });
    }
    this.lines.push(line);
    return line;
  }

  observe(kind: string, body: Loose): Loose {
    this.timeMs += 10;
    const id = hexOf(`observation ${this.timeMs}`).slice(0, 32);
    const observation = { v: 0, kind, tenant: TENANT, source_id: 'pg', observation_id: id, ...body };
    this.edits.observation?.(observation, this.lines.length);
    const line: Loose = {
      v: 0,
      kind: 'observed',
      append_time: this.timeMs,
      observation: { body: observation, sig: null },
    };
    this.#unsigned.push({ holder: line.observation, by: 'recorder' });
    this.lines.push(line);
    return line;
  }

  command(kind: string, members: Loose, by: { signers: readonly TestKey[]; subject: string; receipt?: Loose }): Loose {
    const { signers, subject, receipt = {} } = by;
    const command = {
      kind,
      tenant: TENANT,
      issued_at: this.timeMs,
      expires_at: this.timeMs + 60_000,
      subject,
      replaces: null,
      ...members,
    };
    const payload = Buffer.from(canonical(command));
    const signatures = signers.map((key) => ({
      key_id: key.keyId,
      sig: signPae(key, 'application/vnd.clyra.command.v0+json', payload),
    }));
    return this.decide(kind, { change: { command, signatures }, receipt });
  }

  /** Signs all bodies, in sends of three of one role, and applies the edits of lines. */
  finishLines(): readonly string[] {
    for (const role of Object.keys(TYPES) as (keyof typeof TYPES)[]) {
      const own = this.#unsigned.filter((unsigned) => unsigned.by === role);
      for (let from = 0; from < own.length; from += 3) {
        signSend(
          own.slice(from, from + 3).map((unsigned) => unsigned.holder),
          this.keys[role],
          TYPES[role],
        );
      }
    }
    this.#unsigned = [];
    for (const [index, line] of this.lines.entries()) {
      this.edits.line?.(line, index);
    }
    this.edits.lines?.(this.lines);
    const raw = this.lines.map(canonical);
    this.edits.rawLines?.(raw);
    this.lines = [];
    return raw;
  }

  #link(body: Loose): void {
    const link = hexOf(`clyra/prev/v0\n${canonical(body)}`);
    this.seq = body.tenant_seq + 1;
    this.head = link;
    if (body.run_id === undefined) {
      return;
    }
    if (body.change_kind === 'run.closed') {
      this.runs.delete(body.run_id);
    } else {
      this.runs.set(body.run_id, { next_seq: body.seq + 1, head: link });
    }
  }
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
