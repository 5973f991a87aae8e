// SPDX-License-Identifier: Apache-2.0
import type { CommittedTransaction } from '@clyra/adapter-postgres/committed-transaction';
import { formatLsn, parseLsn } from '@clyra/adapter-postgres/lsn';
import type { ReplicationStream } from '@clyra/adapter-postgres/replication-stream';
import type { SlotFacts, SystemIdentity } from '@clyra/adapter-postgres/slot-facts';
import type { SourceFacts } from '@clyra/adapter-postgres/source-preflight';
import { digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { SourceMark, SourcePort, StreamEvents } from '../source/source-port.ts';

const STEP_MS = 2;
const KEEPALIVE_MS = 500;
const FIRST_LSN = 1_000n;

/** One database server as the recorder sees it: a log of transactions, a slot, one reader of the slot at a time. */
export class FakePostgres {
  systemId = '7000000000000000001';
  timeline = 1;
  /** Every committed transaction of the present incarnation, in order. */
  transactions: CommittedTransaction[] = [];
  currentLsn = FIRST_LSN;
  slot: { confirmedLsn: bigint; isLost: boolean } | null = null;
  hasPublication = false;
  /** Tables of the schema public that the publication has. */
  published: readonly string[] = ['activations'];
  /** Counts what altered how the publication shows its first table, whatever it looks like afterwards. */
  publicationAlterations = 0;
  isDown = false;
  /** What the recorder told the server, in order. */
  readonly confirmations: string[] = [];
  readonly clock: Clock;
  #reader: FakeStream | undefined;
  #xid = 700;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  commit(tokenHash?: string): CommittedTransaction {
    this.#xid += 1;
    const commitLsn = this.currentLsn + 8n;
    this.currentLsn += 56n;
    const transaction: CommittedTransaction = {
      systemId: this.systemId,
      timeline: this.timeline,
      commitEndLsn: formatLsn(this.currentLsn),
      commitLsn: formatLsn(commitLsn),
      xid: this.#xid,
      commitTimeMs: this.clock.nowMs(),
      origin: null,
      relations: [
        {
          schema: 'public',
          name: 'activations',
          operations: { insert: 1, update: 0, delete: 0, truncate: 0 },
          rowsDigest: digestOf(`rows ${this.#xid}`),
        },
      ],
      unlisted: null,
      messages: [],
      messageCounts: { clyra: tokenHash === undefined ? 0 : 1, executionToken: 0, other: 0 },
      executionTokenHashes: tokenHash === undefined ? [] : [tokenHash],
    };
    this.transactions.push(transaction);
    this.#reader?.wake();
    return transaction;
  }

  /** Log that no publication carries: a checkpoint, other databases. */
  writeOther(): void {
    this.currentLsn += 120n;
  }

  cutConnections(): void {
    this.#reader?.lose(unreachable());
  }

  readTaken(stream: FakeStream): void {
    if (this.#reader !== undefined) throw new ClyraError('CLY_SOURCE_SLOT_IN_USE', 'in use', { retry: 'backoff' });
    this.#reader = stream;
  }

  readEnded(stream: FakeStream): void {
    if (this.#reader === stream) this.#reader = undefined;
  }

  get isRead(): boolean {
    return this.#reader !== undefined;
  }

  makeSlot(): void {
    this.currentLsn += 16n;
    this.slot = { confirmedLsn: this.currentLsn, isLost: false };
  }

  system(): SystemIdentity {
    return { systemId: this.systemId, timeline: this.timeline, currentLsn: formatLsn(this.currentLsn) };
  }

  publicationState(): string {
    return digestOf(`${this.hasPublication} ${this.published.includes('activations')} ${this.publicationAlterations}`);
  }

  slotFacts(): SlotFacts | null {
    if (this.slot === null) return null;
    return {
      slot: 'clyra',
      plugin: 'pgoutput',
      database: 'crm',
      isActive: this.isRead,
      isTwoPhase: false,
      confirmedFlushLsn: this.slot.isLost ? null : formatLsn(this.slot.confirmedLsn),
      restartLsn: null,
      walStatus: this.slot.isLost ? 'lost' : 'reserved',
      safeWalSizeBytes: null,
    };
  }

  requireUp(): void {
    if (this.isDown) throw unreachable();
  }
}

export function unreachable(): ClyraError {
  return new ClyraError('CLY_SOURCE_UNREACHABLE', 'the fake server is down', { retry: 'backoff' });
}

/** One process's way to the server. */
export class FakeSource implements SourcePort {
  readonly #server: FakePostgres;
  #stream: FakeStream | undefined;
  #isDead = false;

  constructor(server: FakePostgres) {
    this.#server = server;
  }

  /** The process is killed: nothing is called back any more, and the server notices it. */
  kill(): void {
    this.#isDead = true;
    this.#stream?.drop();
  }

  async inspect(): Promise<SourceFacts> {
    this.#server.requireUp();
    return this.#facts();
  }

  async prepare(): Promise<SourceFacts> {
    this.#server.requireUp();
    this.#server.hasPublication = true;
    if (this.#server.slot === null) this.#server.makeSlot();
    return this.#facts();
  }

  async dropSlot(): Promise<void> {
    this.#server.slot = null;
  }

  async open(events: StreamEvents): Promise<ReplicationStream> {
    this.#server.requireUp();
    const stream = new FakeStream(this.#server, events);
    this.#server.readTaken(stream);
    try {
      stream.start();
    } catch (error) {
      this.#server.readEnded(stream);
      throw error;
    }
    this.#stream = stream;
    return stream;
  }

  async mark(): Promise<SourceMark> {
    this.#server.requireUp();
    const { currentLsn, timeline, systemId, clock } = this.#server;
    const publicationState = this.#server.publicationState();
    return { coversUntilMs: clock.nowMs(), lsn: formatLsn(currentLsn), timeline, systemId, publicationState };
  }

  async close(): Promise<void> {}

  #publication(): NonNullable<SourceFacts['publication']> {
    const relations = this.#server.published.map((name) => ({
      schema: 'public',
      name,
      rootSchema: 'public',
      rootName: name,
      hasRowFilter: false,
      hasColumnList: false,
    }));
    return {
      name: 'clyra',
      publishesAllTables: false,
      publishesSchemas: [],
      operations: ['insert', 'update', 'delete', 'truncate'],
      publishesViaRoot: false,
      members: relations,
      relations,
      partitioned: [],
      relationsWithoutIdentity: [],
    };
  }

  #facts(): SourceFacts {
    if (this.#isDead) throw unreachable();
    const { slot, hasPublication } = this.#server;
    const missing = (code: `CLY_${string}`) => ({ code, severity: 'refuse', message: 'x', repairSql: null }) as const;
    return {
      system: this.#server.system(),
      server: { versionMajor: 15, announcesDdl: true, messagesAreOpen: false } as SourceFacts['server'],
      guarded: { tables: [{ schema: 'public', name: 'activations' }], schemas: [] },
      publication: hasPublication ? this.#publication() : null,
      slot: this.#server.slotFacts(),
      unrecorded: [],
      publicationState: this.#server.publicationState(),
      problems: [
        ...(hasPublication ? [] : [missing('CLY_SOURCE_PUBLICATION_MISSING')]),
        ...(slot === null ? [missing('CLY_SOURCE_SLOT_MISSING')] : []),
        ...(slot?.isLost === true ? [missing('CLY_SOURCE_SLOT_LOST')] : []),
      ],
    };
  }
}

class FakeStream implements ReplicationStream {
  source = {} as ReplicationStream['source'];
  readonly #server: FakePostgres;
  readonly #events: StreamEvents;
  #sentLsn = 0n;
  #isAwake = false;
  #isOver = false;

  constructor(server: FakePostgres, events: StreamEvents) {
    this.#server = server;
    this.#events = events;
  }

  start(): void {
    const slot = this.#server.slotFacts();
    if (slot === null) throw new ClyraError('CLY_SOURCE_SLOT_MISSING', 'no slot', { retry: 'never' });
    this.source = { system: this.#server.system(), slot };
    this.#events.admit(this.source);
    this.#sentLsn = this.#server.slot?.confirmedLsn ?? 0n;
    this.wake();
    this.#server.clock.after(KEEPALIVE_MS, () => this.#keepAlive());
  }

  wake(): void {
    if (this.#isAwake || this.#isOver) return;
    this.#isAwake = true;
    this.#server.clock.after(STEP_MS, () => this.#step());
  }

  confirm(lsn: string): void {
    const { slot, confirmations } = this.#server;
    const position = parseLsn(lsn);
    if (position > this.#sentLsn) {
      throw new ClyraError('CLY_SOURCE_CONFIRM_AHEAD', 'confirmed before it was sent', { retry: 'never' });
    }
    if (this.#isOver || slot === null || position <= slot.confirmedLsn) return;
    slot.confirmedLsn = position;
    confirmations.push(lsn);
  }

  backlog(): { pendingCount: number; isPaused: boolean } {
    return { pendingCount: 0, isPaused: false };
  }

  async close(): Promise<void> {
    this.drop();
  }

  drop(): void {
    this.#isOver = true;
    this.#server.readEnded(this);
  }

  lose(error: ClyraError): void {
    if (this.#isOver) return;
    this.drop();
    this.#events.onLost(error);
  }

  #step(): void {
    this.#isAwake = false;
    if (this.#isOver) return;
    const next = this.#server.transactions.find(({ commitEndLsn }) => parseLsn(commitEndLsn) > this.#sentLsn);
    if (next === undefined) return;
    this.#sentLsn = parseLsn(next.commitEndLsn);
    this.#events.onTransaction(next);
    this.wake();
  }

  /** As the adapter: only where everything that was delivered is confirmed. */
  #keepAlive(): void {
    if (this.#isOver) return;
    const { transactions, currentLsn, slot, clock } = this.#server;
    const last = transactions.at(-1);
    if (last === undefined || parseLsn(last.commitEndLsn) <= (slot?.confirmedLsn ?? 0n)) {
      this.#sentLsn = currentLsn;
      this.#events.onKeepalive(formatLsn(currentLsn), clock.nowMs());
    }
    clock.after(KEEPALIVE_MS, () => this.#keepAlive());
  }
}
