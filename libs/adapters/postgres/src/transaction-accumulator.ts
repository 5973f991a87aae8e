// SPDX-License-Identifier: Apache-2.0
import { hash, type KeyObject } from 'node:crypto';
import { ClyraError } from '@clyra/core/kernel/error';
import type { CommittedTransaction, ObservedMessage } from './committed-transaction.ts';
import { DDL_PREFIX, parseDdlMessage } from './ddl-message.ts';
import { DdlTally } from './ddl-tally.ts';
import { formatLsn } from './lsn.ts';
import type {
  BeginMessage,
  CommitMessage,
  LogicalMessage,
  PgoutputMessage,
  RelationMessage,
  RowMessage,
  TruncateMessage,
  TypeMessage,
} from './pgoutput-messages.ts';
import { type RelationIdentity, relationIdentity, rowsKey } from './rows-digest.ts';
import type { HmacKey } from './running-hmac.ts';
import { TransactionRelations } from './transaction-relations.ts';

/** The prefix whose content is an execution token; `clyra.<what>` is for messages of other meanings. */
const TOKEN_PREFIX = 'clyra';
const MESSAGE_PREFIX = `${TOKEN_PREFIX}.`;

export type AccumulatorLimits = {
  /** Relations listed one by one in a transaction; further ones share `unlisted`. */
  readonly relationsMax: number;
  /** Messages and execution tokens listed; further ones are only counted. */
  readonly messagesMax: number;
  /** Relation descriptions kept for the connection: the server sends each once and expects it remembered. */
  readonly knownRelationsMax: number;
};

export const DEFAULT_ACCUMULATOR_LIMITS: AccumulatorLimits = {
  relationsMax: 1_000,
  messagesMax: 256,
  knownRelationsMax: 100_000,
};

export type AccumulatorOptions = {
  readonly systemId: string;
  readonly timeline: number;
  /** Made by `createSecretKey`: a key given as bytes makes each digest six times as slow. */
  readonly digestKey: KeyObject;
  readonly limits?: Partial<AccumulatorLimits>;
};

type OpenTransaction = {
  readonly begin: BeginMessage;
  readonly relations: TransactionRelations;
  readonly messages: ObservedMessage[];
  readonly executionTokenHashes: string[];
  clyraMessageCount: number;
  executionTokenCount: number;
  otherMessageCount: number;
  origin: string | null;
  ddl: DdlTally | undefined;
};

/**
 * Folds the messages of one connection, in order, into one value per commit. Memory is bounded by the limits and
 * never depends on the number of rows. One accumulator per connection: a new one starts without relations.
 *
 * Errors: CLY_SOURCE_STREAM_ORDER (retry: backoff, with a new connection) where a message does not fit what came
 * before it, CLY_SOURCE_RELATION_LIMIT (retry: backoff) when one connection described too many relations.
 */
export class TransactionAccumulator {
  readonly #options: AccumulatorOptions;
  readonly #limits: AccumulatorLimits;
  readonly #rowsKey: HmacKey;
  readonly #relations = new Map<number, RelationIdentity>();
  /** The server describes a type before each relation that uses it; a renamed one is described anew. */
  readonly #typeNames = new Map<number, string>();
  #open: OpenTransaction | undefined;

  constructor(options: AccumulatorOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_ACCUMULATOR_LIMITS, ...options.limits };
    this.#rowsKey = rowsKey(options.digestKey);
  }

  /** Between begin and commit: what the server has sent so far must not be confirmed. */
  get isTransactionOpen(): boolean {
    return this.#open !== undefined;
  }

  /** The finished transaction when `message` is its commit, else undefined. */
  accept(message: PgoutputMessage): CommittedTransaction | undefined {
    switch (message.kind) {
      case 'begin':
        this.#begin(message);
        return undefined;
      case 'commit':
        return this.#commit(message);
      case 'origin':
        this.#transaction(message.kind).origin = message.name;
        return undefined;
      case 'relation':
        this.#describe(message);
        return undefined;
      case 'type':
        this.#nameType(message);
        return undefined;
      case 'truncate':
        this.#truncate(message);
        return undefined;
      case 'message':
        this.#message(message);
        return undefined;
      default:
        this.#row(message);
        return undefined;
    }
  }

  #begin(message: BeginMessage): void {
    if (this.#open !== undefined) {
      throw outOfOrder('a begin inside a transaction');
    }
    this.#open = {
      begin: message,
      relations: new TransactionRelations(this.#rowsKey, this.#limits.relationsMax),
      messages: [],
      executionTokenHashes: [],
      clyraMessageCount: 0,
      executionTokenCount: 0,
      otherMessageCount: 0,
      origin: null,
      ddl: undefined,
    };
  }

  #commit(message: CommitMessage): CommittedTransaction {
    const open = this.#transaction(message.kind);
    if (message.commitLsn !== open.begin.finalLsn) {
      throw outOfOrder('a commit of another transaction');
    }
    this.#open = undefined;
    const unknownTypes = open.relations.finishUnknownTypes();
    const transaction: CommittedTransaction = {
      systemId: this.#options.systemId,
      timeline: this.#options.timeline,
      commitEndLsn: formatLsn(message.endLsn),
      commitLsn: formatLsn(message.commitLsn),
      xid: open.begin.xid,
      commitTimeMs: message.commitTimeMs,
      origin: open.origin,
      relations: open.relations.finishListed(),
      unlisted: open.relations.finishUnlisted(),
      messages: open.messages,
      messageCounts: {
        clyra: open.clyraMessageCount,
        executionToken: open.executionTokenCount,
        other: open.otherMessageCount,
      },
      executionTokenHashes: open.executionTokenHashes,
    };
    if (open.ddl === undefined && unknownTypes === undefined) return transaction;
    return {
      ...transaction,
      ...(open.ddl === undefined ? {} : { ddl: open.ddl.finish() }),
      ...(unknownTypes === undefined ? {} : { unknownTypes }),
    };
  }

  #describe(message: RelationMessage): void {
    const { knownRelationsMax } = this.#limits;
    if (this.#relations.size >= knownRelationsMax && !this.#relations.has(message.relationOid)) {
      throw new ClyraError(
        'CLY_SOURCE_RELATION_LIMIT',
        'The connection described too many relations. Reconnect; if it repeats at once, raise knownRelationsMax.',
        { retry: 'backoff', context: { knownRelationsMax } },
      );
    }
    this.#relations.set(message.relationOid, relationIdentity(message, this.#typeNames));
  }

  #nameType({ typeOid, schema, name }: TypeMessage): void {
    // A domain over a type of PostgreSQL's own is described by that type, under the domain's oid.
    if (schema === 'pg_catalog') {
      this.#typeNames.delete(typeOid);
      return;
    }
    const { knownRelationsMax } = this.#limits;
    // As with relations: a connection that forgets none of them must not grow for ever.
    if (this.#typeNames.size >= knownRelationsMax && !this.#typeNames.has(typeOid)) {
      throw new ClyraError('CLY_SOURCE_RELATION_LIMIT', 'The connection described too many types. Reconnect.', {
        retry: 'backoff',
        context: { knownRelationsMax },
      });
    }
    this.#typeNames.set(typeOid, `${schema}.${name}`);
  }

  #row(message: RowMessage): void {
    const { relations } = this.#transaction(message.kind);
    relations.row(this.#relation(message.relationOid), message.kind, message.body);
  }

  #truncate(message: TruncateMessage): void {
    const { relations } = this.#transaction(message.kind);
    for (const relationOid of message.relationOids) {
      relations.truncate(this.#relation(relationOid), message);
    }
  }

  #message(message: LogicalMessage): void {
    if (!message.transactional) {
      // It arrives whether or not its writer commits, between transactions: no evidence of anything.
      return;
    }
    const open = this.#transaction(message.kind);
    const isToken = message.prefix === TOKEN_PREFIX;
    if (!isToken && !message.prefix.startsWith(MESSAGE_PREFIX)) {
      open.otherMessageCount += 1;
      return;
    }
    open.clyraMessageCount += 1;
    const listsMessage = open.messages.length < this.#limits.messagesMax;
    const contentSha256Hex = listsMessage || isToken ? hash('sha256', message.content, 'hex') : '';
    if (listsMessage) {
      open.messages.push({ prefix: message.prefix, contentSha256Hex, transactional: true });
    }
    if (message.prefix === DDL_PREFIX) this.#ddl(open, message.content);
    if (isToken) {
      open.executionTokenCount += 1;
      if (open.executionTokenHashes.length < this.#limits.messagesMax) {
        open.executionTokenHashes.push(contentSha256Hex);
      }
    }
  }

  #ddl(open: OpenTransaction, content: Uint8Array): void {
    const ddl = parseDdlMessage(content);
    open.ddl ??= new DdlTally(this.#options.digestKey);
    open.ddl.add(content, ddl?.tag);
    for (const relation of ddl?.relations ?? []) open.relations.ddl(relation);
  }

  #transaction(kind: string): OpenTransaction {
    if (this.#open === undefined) {
      throw outOfOrder(`${kind} outside a transaction`);
    }
    return this.#open;
  }

  #relation(relationOid: number): RelationIdentity {
    const relation = this.#relations.get(relationOid);
    if (relation === undefined) {
      throw outOfOrder('a change of a relation that was never described');
    }
    return relation;
  }
}

function outOfOrder(what: string): ClyraError {
  return new ClyraError(
    'CLY_SOURCE_STREAM_ORDER',
    `The replication stream held ${what}. Open a new connection: the server repeats what was not confirmed.`,
    { retry: 'backoff' },
  );
}
