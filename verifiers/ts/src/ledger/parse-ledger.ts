// SPDX-License-Identifier: Apache-2.0
import { parseJson, RECORD } from '../json/parse.ts';
import { oneOf, ShapeError } from '../json/shape.ts';
import { DELEGATIONS_MAX } from '../trust/delegations.ts';
import {
  COVERED_MAX,
  GRANT_BYTES_MAX,
  Ledger,
  OPEN_RUNS_MAX,
  PENDING_BYTES_MAX,
  SEEN_MAX,
  SOURCES_MAX,
} from './ledger.ts';
import { LEDGER_KINDS, type LedgerKind, type LedgerLine, lineBytesOf } from './ledger-lines.ts';

export const LEDGER_BYTES_MAX = 67_108_864;
const KINDS = Object.keys(LEDGER_KINDS) as LedgerKind[];
const readKind = oneOf(...KINDS);

type LineOf<K extends LedgerKind> = ReturnType<(typeof LEDGER_KINDS)[K]>;

/** Builds a ledger from the lines of its artifact, one after the other. Throws JsonError or ShapeError. */
export class LedgerReader {
  readonly #ledger: Ledger;
  readonly #guarded: Map<string, Set<string>> = new Map();
  #previous: { readonly rank: number; readonly key: readonly string[] } = { rank: -1, key: [] };
  #heads = 0;
  #covered = 0;

  constructor(streamId: string, tenant: string) {
    this.#ledger = new Ledger(streamId, tenant);
    this.#ledger.guarded = this.#guarded;
  }

  add(bytes: Uint8Array): void {
    const { value } = parseJson(bytes, RECORD);
    const kind = readKind(value.kind, 'kind');
    const line = LEDGER_KINDS[kind](value, '') as LedgerLine;
    this.#requireOrder(kind, keyOf(line));
    this.#take(line);
    this.#requireLimits();
  }

  finish(): Ledger {
    if (this.#heads !== 1) {
      throw new ShapeError('head', 'must stand once');
    }
    return this.#ledger;
  }

  #requireOrder(kind: LedgerKind, key: readonly string[] | null): void {
    const rank = KINDS.indexOf(kind);
    const isInOrder =
      rank > this.#previous.rank ||
      (rank === this.#previous.rank && (key === null || isAbove(key, this.#previous.key)));
    if (!isInOrder) {
      throw new ShapeError(kind, 'does not stand in its place');
    }
    this.#previous = { rank, key: key ?? [] };
  }

  #take(line: LedgerLine): void {
    const ledger = this.#ledger;
    switch (line.kind) {
      case 'head':
        this.#takeHead(line);
        break;
      case 'run':
        ledger.runs.set(line.run_id, { nextSeq: line.next_seq, head: line.head });
        break;
      case 'guarded':
        this.#guarded.set(line.source_id, (this.#guarded.get(line.source_id) ?? new Set()).add(line.relation));
        break;
      case 'seen':
        ledger.seen.set(`${line.source_id}\n${line.of}`, line.observation_id);
        break;
      case 'delegation':
        ledger.delegations.push({
          append_time: line.append_time,
          command: line.command,
          signatures: [...line.signatures],
        });
        break;
      case 'grant':
        this.#takeGrant(line);
        break;
      case 'pending':
        this.#takePending(line);
        break;
      default:
        this.#takeSource(line);
    }
  }

  #takeHead(line: LineOf<'head'>): void {
    this.#heads += 1;
    Object.assign(this.#ledger, {
      nextSeq: line.chain.next_seq,
      head: line.chain.head,
      policy: line.policy,
      trustRoot: line.trust_root,
      lastDecidedAtMs: line.last_decided_at,
      lastOffset: line.last_offset,
      lastOutcomeAtMs: line.last_outcome_at,
    });
  }

  #takeSource(line: LineOf<'source' | 'covered' | 'blind_spot'>): void {
    if (line.kind === 'source') {
      const { registered, watermark, newest, coverage } = line;
      Object.assign(this.#ledger.source(line.source_id), { registered, watermark, newest, coverage });
      return;
    }
    const source = this.#ledger.sources.get(line.source_id);
    if (source === undefined || source.coverage === null) {
      throw new ShapeError(line.kind, 'stands without the coverage it belongs to');
    }
    if (line.kind === 'covered') {
      source.covered = [...source.covered, line.relation];
      this.#covered += 1;
    } else {
      source.blindSpots = [...source.blindSpots, { code: line.code, relation: line.relation }];
    }
  }

  #takeGrant({ kind: _, ...grant }: LineOf<'grant'>): void {
    this.#ledger.grants.set(grant.token_hash, grant);
    this.#ledger.grantBytes += lineBytesOf('grant', grant);
  }

  #takePending({ kind: _, ...pending }: LineOf<'pending'>): void {
    this.#ledger.pending.push(pending);
    this.#ledger.pendingBytes += lineBytesOf('pending', pending);
  }

  #requireLimits(): void {
    const ledger = this.#ledger;
    const limits: readonly (readonly [string, number, number])[] = [
      ['source', ledger.sources.size, SOURCES_MAX],
      ['covered', this.#covered, COVERED_MAX],
      ['seen', ledger.seen.size, SEEN_MAX],
      ['run', ledger.runs.size, OPEN_RUNS_MAX],
      ['delegation', ledger.delegations.length, DELEGATIONS_MAX],
      ['grant', ledger.grantBytes, GRANT_BYTES_MAX],
      ['pending', ledger.pendingBytes, PENDING_BYTES_MAX],
    ];
    for (const [kind, found, most] of limits) {
      if (found > most) {
        throw new ShapeError(kind, `is over its limit of ${most}`);
      }
    }
  }
}

/** What lines of a kind rise by; null for those in the order of their leaves. */
function keyOf(line: LedgerLine): readonly string[] | null {
  switch (line.kind) {
    case 'head':
      return [];
    case 'run':
      return [line.run_id];
    case 'source':
      return [line.source_id];
    case 'guarded':
    case 'covered':
      return [line.source_id, line.relation];
    case 'blind_spot':
      return [line.source_id, line.code, line.relation === null ? '' : `\u0001${line.relation}`];
    case 'seen':
      return [line.source_id, line.of];
    case 'grant':
      return [line.token_hash];
    case 'pending':
      return [String(line.leaf).padStart(16, '0')];
    default:
      return null;
  }
}

function isAbove(key: readonly string[], before: readonly string[]): boolean {
  for (const [index, part] of key.entries()) {
    const other = before[index] ?? '';
    if (part !== other) {
      return part > other;
    }
  }
  return false;
}
