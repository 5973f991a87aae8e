// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { repliesTopic } from '@clyra/core/change/topics';
import { TIMESTAMP_TOLERANCE_MS } from '@clyra/core/inspection/request-signature';
import { sleep } from '@clyra/core/ports/clock';
import type { LogRecord } from '@clyra/core/ports/record-log';
import { authenticateWithRefresh, type Caller } from '../gateway/authenticate.ts';
import type { DoorParts } from './door-parts.ts';
import { type ReadIntent, readIntent, type UnreadIntent } from './intent-record.ts';
import { KeyLanes } from './key-lanes.ts';
import { PerSecond } from './per-second.ts';
import { endOf, endOfKnown, type ReplyEnd, receiptMember, refusal } from './reply.ts';
import { ReplyPost } from './reply-post.ts';
import { Specimens } from './specimens.ts';

/** How long the receipt of an intent is waited for: longer than over HTTP, where somebody holds a connection open. */
const HOLD_MS = 5_000;
/** How long an allowed change of an intake that was killed may still find its outcome, before it is called unknown. */
const SETTLE_MS = 3_000;
const LOOK_MS = 50;
const MISSING_REMEMBERED_MS = 5_000;
/** Of one record key, waiting for the one before. */
const KEY_WAITING_MAX = 64;
/** Answers to, and specimens of, what nobody has proved to have sent. */
const UNPROVED_PER_SECOND_MAX = 20;

/** Whether a record has its answer; `left`: it is read again by the next start. */
export type IntentFate = 'answered' | 'quarantined' | 'left';

type Proved = ReadIntent & { readonly caller: Caller; readonly record: LogRecord };

/**
 * Takes one record of clyra.intents to its reply. The change behind it is the same as one over HTTP: the gateway
 * inspects, waits, forwards. It never rejects for anything that a producer, the log or an upstream does.
 */
export class IntentDoor {
  readonly #parts: DoorParts;
  readonly #post: ReplyPost;
  readonly #specimens: Specimens;
  readonly #lanes = new KeyLanes(KEY_WAITING_MAX);
  readonly #unproved: PerSecond;
  readonly #turns = new Map<number, Promise<unknown>>();
  readonly #replyTopics = new Map<string, { readonly isThere: boolean; readonly atMs: number }>();
  #isStopping = false;

  constructor(parts: DoorParts) {
    this.#parts = parts;
    this.#post = new ReplyPost({ ...parts, knownTopic: parts.topics.intents });
    this.#specimens = new Specimens({ ...parts, post: this.#post, topic: parts.topics.quarantine });
    this.#unproved = new PerSecond(UNPROVED_PER_SECOND_MAX, parts.clock);
  }

  /** What waits for the gateway gives up; what is under way goes on. */
  stop(): void {
    this.#isStopping = true;
  }

  close(): Promise<void> {
    return this.#post.close();
  }

  /** In the order of their offsets: those of one record key are carried out in the order in which this was called. */
  async take(record: LogRecord): Promise<IntentFate> {
    const turn = this.#turns.get(record.partition) ?? Promise.resolve();
    const admitted = turn.then(() => this.#admit(record));
    this.#turns.set(record.partition, admitted);
    return (await admitted).fate;
  }

  /** Says who sent it, and no more: what takes longer is begun here and holds up none of those behind. */
  async #admit(record: LogRecord): Promise<{ readonly fate: Promise<IntentFate> }> {
    const read = readIntent(record, HOLD_MS);
    if ('fault' in read) return { fate: this.#refuseUnproved(record, read) };
    const { request, signedAtMs, correlationId } = read;
    // Proved by the time that it names; how old it may be is asked where it is not known already.
    const claimed = { nowMs: () => signedAtMs };
    const caller = await authenticateWithRefresh(request, this.#parts.credentials, claimed);
    if (typeof caller === 'string') {
      const tenant = request.headers.one('x-tenant-id');
      return { fate: this.#refuseUnproved(record, { fault: caller, tenant, correlationId }) };
    }
    if (this.#parts.directory.get(caller.credential.tenant) === undefined) {
      return { fate: this.#keep(record, 'CLY_TENANT_UNKNOWN') };
    }
    return { fate: this.#inLane({ ...read, caller, record }) };
  }

  async #inLane(proved: Proved): Promise<IntentFate> {
    const fate = await this.#lanes.run(laneOf(proved), () => this.#carryOut(proved));
    return fate === 'full' ? this.#reply(proved, refusal('CLY_INTENT_KEY_BUSY', KEY_BUSY)) : fate;
  }

  async #carryOut(proved: Proved): Promise<IntentFate> {
    const canReply = await this.#canReply(proved.caller.credential.tenant);
    if (canReply === undefined) return 'left';
    return canReply ? this.#settle(proved) : this.#keep(proved.record, 'CLY_INTENT_NO_REPLY_TOPIC');
  }

  async #settle(proved: Proved): Promise<IntentFate> {
    const { request, caller } = proved;
    for (;;) {
      const known = await this.#known(request.intent.eventIds);
      if (known !== undefined) return this.#reply(proved, known);
      const late = this.#lateness(proved);
      if (late !== undefined) return this.#reply(proved, late);
      // Then it is too late, which the next round says, or intake stops.
      if (!(await this.#isOpen(proved))) {
        if (this.#isStopping) return 'left';
        continue;
      }
      const answer = await this.#parts.gateway.handleFor(request, caller);
      const code = answer.problem?.code;
      // Closed in the meantime: nothing of it was recorded.
      if (code !== undefined && CLOSED.test(code)) continue;
      const isElsewhere = code !== undefined && DECIDED_ELSEWHERE.test(code);
      const earlier = isElsewhere ? await this.#known(request.intent.eventIds) : undefined;
      return this.#reply(proved, earlier ?? (await endOf(answer)));
    }
  }

  /** What came of the same intent before, as far as the log says. */
  async #known([first, second]: readonly [string, string]): Promise<ReplyEnd | undefined> {
    const { index, clock } = this.#parts;
    const endAtMs = clock.nowMs() + SETTLE_MS;
    for (;;) {
      const nowMs = clock.nowMs();
      const eventId = typeof index.find(second, nowMs) === 'object' ? second : first;
      const found = index.find(eventId, nowMs);
      if (typeof found === 'string') return undefined;
      if (found.change.state !== 'allowed' || nowMs >= endAtMs) return endOfKnown(eventId, found.change);
      await sleep(clock, LOOK_MS);
    }
  }

  #lateness({ signedAtMs, expiresAtMs }: ReadIntent): ReplyEnd | undefined {
    const nowMs = this.#parts.clock.nowMs();
    if (expiresAtMs !== undefined && nowMs >= expiresAtMs) return refusal('CLY_INTENT_EXPIRED', EXPIRED);
    return Math.abs(nowMs - signedAtMs) > TIMESTAMP_TOLERANCE_MS ? refusal('CLY_AUTH_TIMESTAMP') : undefined;
  }

  /** Waits while the gateway lets nothing in; false once this intent is too late, or intake stops. */
  async #isOpen(intent: ReadIntent): Promise<boolean> {
    const { gateway, clock } = this.#parts;
    while (gateway.whyClosed() !== undefined) {
      if (this.#isStopping || this.#lateness(intent) !== undefined) return false;
      await sleep(clock, LOOK_MS);
    }
    return !this.#isStopping;
  }

  async #reply(proved: Proved, end: ReplyEnd): Promise<IntentFate> {
    const { correlationId, caller, record } = proved;
    const problem = end['problem'] as JsonObject | undefined;
    if (end.state === 'refused') this.#count(String(problem?.['code']));
    const eventId = end['event_id'];
    const receipt = typeof eventId === 'string' ? receiptMember(this.#parts.index.receiptOf(eventId)) : {};
    const reply = { ...end, ...receipt, correlation_id: correlationId, authenticated: true };
    return this.#send(record, { tenant: caller.credential.tenant, reply });
  }

  /**
   * Nobody has proved who sent it, so the answer says so: it goes to the tenant that the record names, and only the
   * producer that knows the record's place takes it for its own.
   */
  async #refuseUnproved(record: LogRecord, { fault, tenant, correlationId }: UnreadIntent): Promise<IntentFate> {
    const known = tenant !== undefined && this.#parts.directory.get(tenant) !== undefined ? tenant : undefined;
    if (known === undefined || correlationId === undefined) return this.#keep(record, fault);
    this.#count(fault);
    if (!this.#unproved.take()) return this.#leaveCounted();
    const canReply = await this.#canReply(known);
    if (canReply === undefined) return 'left';
    if (!canReply) return this.#specimen(record, fault);
    const reply = { ...refusal(fault), correlation_id: correlationId, authenticated: false };
    return this.#send(record, { tenant: known, reply });
  }

  async #send(record: LogRecord, to: { readonly tenant: string; readonly reply: JsonObject }): Promise<IntentFate> {
    const { topics, meter } = this.#parts;
    const { partition, offset } = record;
    const whole: JsonObject = { ...to.reply, v: 0, tenant: to.tenant, intent: { partition, offset } };
    const key = Buffer.from(String(whole['correlation_id']), 'utf8');
    const value = Buffer.from(canonicalJson(whole), 'utf8');
    const posted = await this.#post.post(repliesTopic(topics, to.tenant), { key, value });
    if (posted === 'closed') return 'left';
    if (posted === 'undeliverable') {
      this.#replyTopics.delete(to.tenant);
      return this.#keep(record, 'CLY_INTENT_REPLY_LOST');
    }
    meter.replied(String(whole['state']));
    return 'answered';
  }

  /** For people to look at, as nobody can be answered. */
  async #keep(record: LogRecord, reason: string): Promise<IntentFate> {
    this.#count(reason);
    return this.#unproved.take() ? this.#specimen(record, reason) : this.#leaveCounted();
  }

  async #specimen(record: LogRecord, reason: string): Promise<IntentFate> {
    return (await this.#specimens.keep(record, reason)) === 'closed' ? 'left' : 'quarantined';
  }

  /** More of them than can be told one by one: they lie in clyra.intents for a day, and are counted. */
  #leaveCounted(): IntentFate {
    this.#count('CLY_INTENT_FLOOD');
    return 'quarantined';
  }

  async #canReply(tenant: string): Promise<boolean | undefined> {
    const { clock, topics } = this.#parts;
    const known = this.#replyTopics.get(tenant);
    if (known !== undefined && (known.isThere || clock.nowMs() - known.atMs < MISSING_REMEMBERED_MS)) {
      return known.isThere;
    }
    while (!this.#isStopping) {
      const isThere = await this.#post.exists(repliesTopic(topics, tenant));
      if (isThere === undefined) continue;
      this.#replyTopics.set(tenant, { isThere, atMs: clock.nowMs() });
      return isThere;
    }
    return undefined;
  }

  #count(code: string): void {
    this.#parts.edge.count(code);
    this.#parts.meter.refused(code);
  }
}

const CLOSED = /^CLY_INTAKE_(?:STOPPING|BUSY|OUTCOMES_WAIT)$/;
/** Another start, or another intake, may have carried out what did not go through here. */
const DECIDED_ELSEWHERE = /^CLY_(?:CHANGE_CONFLICT|RECEIPT_DEADLINE|INTAKE_CANCELLED)$/;
const KEY_BUSY = 'Too many intents with this record key wait for the one before; send a new one later.';
const EXPIRED = 'It was not carried out before clyra-expires-at, and will not be; send a new intent.';

/** Order is kept within a tenant's record key; without one an intent waits for its own repetition only. */
function laneOf({ caller, record, request }: Proved): string {
  const key = record.key === null ? request.intent.eventIds[0] : Buffer.from(record.key).toString('latin1');
  return `${caller.credential.tenant}\n${key}`;
}
