// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject } from '@clyra/core/canonical/json-value';
import type { PartnerSignal } from '@clyra/core/change/conversation-facts';
import { type CallRecord, parseCallRecords } from '@clyra/core/inspection/voice/call-record';
import { type CallState, partnerSignal, withRecord } from '@clyra/core/inspection/voice/call-state';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';

/** Where the records of partners lie, in the order in which they came. */
export interface CallStore {
  /** Resolves when they would survive a crash. Rejects with CLY_VOICE_LOG_FULL or CLY_VOICE_LOG_UNAVAILABLE. */
  append(lines: readonly string[]): Promise<void>;
  read(): AsyncIterable<string>;
}

export type CallPartner = { readonly name: string; readonly tenant: string };

type Followed = { readonly principal: string; readonly state: CallState };

/** Sessions that are followed at once; a call is forgotten a day after its last record. */
const SESSIONS_MAX = 100_000;
const REMEMBERED_MS = 86_400_000;

/** What partners' call logs say about sessions. A change that names one which nobody reported finds nothing, and fails closed. */
export class CallLog {
  readonly #store: CallStore;
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Followed>();
  #last: Promise<unknown> = Promise.resolve();

  private constructor(store: CallStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Reads what is stored. Rejects with CLY_VOICE_LOG_DAMAGED where a line is not what was written. */
  static async open(store: CallStore, clock: Clock): Promise<CallLog> {
    const log = new CallLog(store, clock);
    let count = 0;
    for await (const line of store.read()) {
      count += 1;
      const stored = readStored(line);
      if (stored === undefined) {
        const message = `line ${count} of the stored call records is not what was written there: move the file away`;
        throw new ClyraError('CLY_VOICE_LOG_DAMAGED', message, { retry: 'never' });
      }
      log.#note(stored.partner, stored.record);
    }
    return log;
  }

  /** Stores records, then counts them. Rejects as the store does: then nothing of them counts. */
  take(partner: CallPartner, records: readonly CallRecord[]): Promise<void> {
    const taken = this.#last.then(() => this.#take(partner, records));
    this.#last = taken.catch(() => {});
    return taken;
  }

  /** What is known of a tenant's sessions. */
  of(tenant: string): (session: string) => PartnerSignal | undefined {
    return (session) => {
      const followed = this.#sessions.get(keyOf(tenant, session));
      return followed === undefined ? undefined : partnerSignal(followed.principal, followed.state);
    };
  }

  async #take(partner: CallPartner, records: readonly CallRecord[]): Promise<void> {
    if (this.#sessions.size + records.length > SESSIONS_MAX) this.#forget();
    if (this.#sessions.size + records.length > SESSIONS_MAX) {
      const message = `${SESSIONS_MAX} sessions are followed: send the records again later`;
      throw new ClyraError('CLY_VOICE_LOG_FULL', message, { retry: 'backoff' });
    }
    await this.#store.append(records.map(({ text }) => JSON.stringify({ ...partner, record: text })));
    for (const record of records) this.#note(partner, record);
  }

  #note({ name, tenant }: CallPartner, record: CallRecord): void {
    const key = keyOf(tenant, record.session);
    const before = this.#sessions.get(key);
    const principal = `hooks/${name}`;
    const state = withRecord(before?.state, record);
    // Two partners that know the same session are two stories about it.
    const isOther = before !== undefined && before.principal !== principal;
    this.#sessions.set(key, { principal, state: isOther ? { ...state, contradicted: true } : state });
  }

  #forget(): void {
    const beforeMs = this.#clock.nowMs() - REMEMBERED_MS;
    for (const [key, { state }] of this.#sessions) if (state.atMs < beforeMs) this.#sessions.delete(key);
  }
}

function keyOf(tenant: string, session: string): string {
  return `${tenant}\n${session}`;
}

function readStored(line: string): { readonly partner: CallPartner; readonly record: CallRecord } | undefined {
  let stored: JsonObject;
  try {
    const value = JSON.parse(line) as JsonObject;
    if (!isJsonObject(value)) return undefined;
    stored = value;
  } catch {
    return undefined;
  }
  const { name, tenant, record } = stored;
  if (typeof name !== 'string' || typeof tenant !== 'string' || typeof record !== 'string') return undefined;
  const records = parseCallRecords(Buffer.from(record), Number.MAX_SAFE_INTEGER);
  const [first] = 'fault' in records ? [] : records;
  return first === undefined ? undefined : { partner: { name, tenant }, record: first };
}
