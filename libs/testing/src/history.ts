// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord, parseRecord } from '@clyra/core/canonical/record';
import type { Facts } from '@clyra/core/change/change-body';
import { PARTITION_TENANT } from '@clyra/core/change/change-body';
import { parseSourceLine, type SourceLine } from '@clyra/core/evidence/journal-line';
import { contentId } from '@clyra/core/evidence/observation-body';
import { decidedLine, observedLine } from '@clyra/core/evidence/write-line';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import type { Signer } from '@clyra/core/ports/signer';
import type { RelationEffect } from '@clyra/core/reconciliation/ledger-entry';
import { blockToJson, signBatch } from '@clyra/core/signing/batch-signature';
import { OBSERVATION_TYPE, RECEIPT_TYPE } from '@clyra/core/signing/pae';
import { FoldScript, SCRIPT_KEYS, type Step, TENANT } from './fold-script.ts';
import { receiptEnvelope } from './receipt-envelope.ts';

export const SOURCE = 'crm';
const SYSTEM_ID = '7300000000000000001';

export type HistoryEntry =
  | {
      readonly source: 'changes';
      readonly offset: number;
      readonly appendTimeMs: number;
      readonly change: Envelopes['ChangeEnvelope'];
      readonly receipt: Envelopes['ReceiptEnvelope'];
    }
  | {
      readonly source: 'observations';
      readonly offset: number;
      readonly appendTimeMs: number;
      readonly observation: Envelopes['ObservationEnvelope'];
    };

export type TransactionOptions = {
  readonly tokens?: readonly Digest[];
  readonly committedAtMs?: number;
  readonly sourceId?: string;
  readonly relations?: readonly Partial<RelationEffect>[];
};

/**
 * A partition with everything that belongs to it, signed: changes, the receipts that the decider gives them, and what
 * a recorder saw. Entries stand in the order in which they happened; time moves only when the test says so.
 */
export class History {
  readonly script = new FoldScript();
  readonly entries: HistoryEntry[] = [];
  /** State artifacts of all cuts, by state digest. */
  readonly states = new Map<Digest, Uint8Array>();
  /** Documents that lines name, by digest. */
  readonly documents = new Map<Digest, Uint8Array>();
  #window = 0;
  #lsn = 0x1000;
  #observationCount = 0;

  get nowMs(): number {
    return this.script.nowMs;
  }

  set nowMs(nowMs: number) {
    this.script.nowMs = nowMs;
  }

  /** The stream, the tenant with its policy, and its source. */
  async open(): Promise<this> {
    await this.script.opened();
    await this.#answerAll();
    const source = { source_id: SOURCE, database: digestOf('crm database'), system_id: SYSTEM_ID };
    await this.script.command('source.registered', source, [SCRIPT_KEYS.operator]);
    await this.#answerAll();
    await this.coverage();
    return this;
  }

  async request(facts: Partial<Facts> = {}, members: JsonObject = {}): Promise<Step> {
    return this.#answered(this.script.request(facts, members));
  }

  async outcome(of: string, outcome = 'done'): Promise<Step> {
    return this.#answered(this.script.outcome(of, outcome));
  }

  async run(kind: 'run.opened' | 'run.closed', runId: string, more: JsonObject = {}): Promise<Step> {
    const members = { run_id: runId, actor: 'sync-bot', principal: 'key-1', ...more };
    return this.#answered(this.script.append(this.script.body(kind, members)));
  }

  async closeWindow(): Promise<Step> {
    this.#window += 1;
    return this.#answered(this.script.append(this.script.body('window.closed', { number: this.#window })));
  }

  /** A change that another key than intake's signed: it is refused, and part of the log. */
  async forged(): Promise<Step> {
    const body = this.script.body('change.requested', { facts: this.script.facts() });
    return this.#answered(this.script.append(body, SCRIPT_KEYS.operator));
  }

  async append(body: JsonObject): Promise<Step> {
    return this.#answered(this.script.append(body));
  }

  async transaction(options: TransactionOptions = {}): Promise<void> {
    const lsn = this.#nextLsn();
    const relations = options.relations ?? [{}];
    await this.#observe('transaction', options.sourceId ?? SOURCE, {
      system_id: SYSTEM_ID,
      timeline: 1,
      commit_end_lsn: lsn,
      xid: this.#observationCount,
      committed_at: options.committedAtMs ?? this.nowMs,
      relations: relations.map((relation) => ({ ...INSERT, rows_digest: digestOf(lsn), ...relation })),
      token_hashes: [...(options.tokens ?? [])],
      messages: options.tokens?.length ?? 0,
    });
  }

  async watermark(coversUntilMs = this.nowMs, sourceId = SOURCE): Promise<void> {
    const members = { system_id: SYSTEM_ID, timeline: 1, lsn: this.#nextLsn(), covers_until: coversUntilMs };
    await this.#observe('watermark', sourceId, members);
  }

  async gap(): Promise<void> {
    const members = {
      from_lsn: this.#nextLsn(),
      to_lsn: this.#nextLsn(),
      reason: 'slot_lost',
      detected_at: this.nowMs,
    };
    await this.#observe('gap', SOURCE, members);
  }

  /** What the source can show; a history says it at its opening. */
  async coverage(members: JsonObject = {}, sourceId = SOURCE): Promise<void> {
    const said = {
      system_id: SYSTEM_ID,
      timeline: 1,
      lsn: this.#nextLsn(),
      scope: 'all',
      relations: [],
      blind_spots: [],
    };
    await this.#observe('coverage', sourceId, { ...said, ...members });
  }

  async outage(members: JsonObject = {}): Promise<void> {
    const now = this.nowMs;
    const said = {
      component: 'kafka',
      failed_at: now - 900,
      detected_at: now - 500,
      restored_at: now,
      changes_refused: 3,
    };
    const by = { sourceId: 'intake:1', signer: SCRIPT_KEYS.intake };
    await this.#observe('outage', by, { ...said, cause: 'CLY_LOG_UNAVAILABLE', ...members });
  }

  async accessed(members: JsonObject = {}): Promise<void> {
    const said = { actor: 'auditor', action: 'read', range: { start: 0, end: 1 }, manifest: digestOf('manifest') };
    const by = { sourceId: 'bundler:1', signer: SCRIPT_KEYS.bundler };
    await this.#observe('accessed', by, { ...said, at: this.nowMs, ...members });
  }

  /** Says that a document belongs to the log. */
  async document(bytes: Uint8Array, document = 'snapshot'): Promise<void> {
    const said = { document, sha256: digestOf(bytes), size: bytes.length, media_type: 'application/json' };
    this.documents.set(said.sha256, bytes);
    await this.#observe('document', 'recorder:1', said);
  }

  /** The lines of the tenant, as a bundler would sequence the entries in this order. */
  lines(): SourceLine[] {
    return this.entries.filter((entry) => tenantOf(entry) !== PARTITION_TENANT).map((entry) => lineOf(entry));
  }

  async #answered(made: Promise<Step>): Promise<Step> {
    const step = await made;
    await this.#answerAll();
    return step;
  }

  async #answerAll(): Promise<void> {
    const { script } = this;
    const answered = this.entries.filter(({ source }) => source === 'changes').length;
    for (const [index, { folded }] of [...script.steps.entries()].slice(answered)) {
      const [block] = await signBatch(SCRIPT_KEYS.enforcer, RECEIPT_TYPE, [folded.digest]);
      const receipt = receiptEnvelope(folded, folded.signed ? block : undefined);
      const change = script.envelopes[index] as Envelopes['ChangeEnvelope'];
      this.entries.push({ source: 'changes', offset: index, appendTimeMs: this.nowMs, change, receipt });
      const tenant = script.fold.tenant(folded.tenant);
      if (folded.stateDigest !== undefined && tenant !== undefined) {
        this.states.set(folded.stateDigest, tenant.table.serialize());
      }
    }
  }

  async #observe(kind: string, by: string | Writer, members: JsonObject): Promise<void> {
    const { sourceId, signer } = typeof by === 'string' ? { sourceId: by, signer: SCRIPT_KEYS.recorder } : by;
    const said = { v: 0, kind, tenant: TENANT, source_id: sourceId, ...members };
    const id = observationId(said);
    const body = encodeRecord({ ...said, observation_id: id });
    const [block] = await signBatch(signer, OBSERVATION_TYPE, [digestOf(body)]);
    if (block === undefined) throw new Error('a send of one body has one block');
    const signature = encodeRecord(blockToJson(block));
    const observation = { body, signature, tenant: TENANT, kind, source_id: sourceId, observation_id: id };
    const offset = this.#observationCount;
    this.#observationCount += 1;
    this.entries.push({ source: 'observations', offset, appendTimeMs: this.nowMs, observation });
  }

  #nextLsn(): string {
    this.#lsn += 0x100;
    return `0/${this.#lsn.toString(16).toUpperCase()}`;
  }
}

type Writer = { readonly sourceId: string; readonly signer: Signer };

/** docs/spec/records.md §6. */
function observationId(said: JsonObject): string {
  const { kind, system_id: system, timeline } = said;
  if (kind !== 'transaction' && kind !== 'watermark') {
    return kind === 'gap' ? digestOf(`gap ${said['to_lsn']} -${said['detected_at']}`).slice(0, 32) : contentId(said);
  }
  const [lsn, ordinal] = kind === 'transaction' ? [said['commit_end_lsn'], 0] : [said['lsn'], said['covers_until']];
  return digestOf(`${system}\n${timeline}\n${lsn}\n${ordinal}`).slice(0, 32);
}

const INSERT: RelationEffect = { schema: 'public', name: 'contacts', inserts: 1, updates: 0, deletes: 0, truncates: 0 };

/** The token hash that an allowed request was granted; undefined where it was given none. */
export function grantedToken({ receipt }: Step): Digest | undefined {
  const [grant] = (receipt['grants'] ?? []) as readonly { readonly token_hash: Digest }[];
  return grant?.token_hash;
}

function tenantOf(entry: HistoryEntry): string {
  return entry.source === 'changes' ? entry.receipt.tenant : entry.observation.tenant;
}

function lineOf(entry: HistoryEntry): SourceLine {
  const { appendTimeMs } = entry;
  if (entry.source === 'observations') {
    return parseSourceLine(observedLine({ appendTimeMs, observation: partOf(entry.observation) }));
  }
  const { change, receipt } = entry;
  return parseSourceLine(decidedLine({ appendTimeMs, change: partOf(change), receipt: partOf(receipt) }));
}

function partOf(part: { body: Uint8Array; signature: Uint8Array | null }): {
  body: JsonObject;
  bytes: Uint8Array;
  block: JsonObject | null;
} {
  const block = part.signature === null ? null : parseRecord(part.signature);
  return { body: parseRecord(part.body), bytes: part.body, block };
}
