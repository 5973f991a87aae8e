// SPDX-License-Identifier: Apache-2.0
import { randomBytes, randomUUID } from 'node:crypto';
import type { Admin, Consumer, Producer } from 'kafkajs';
import { IntentError } from './intent-error.ts';
import { checkOptions, checkProposal, type ProducerOptions, type Proposal } from './options.ts';
import { parseReply, type RawReply, type Reply, readReply } from './reply.ts';
import { type SignedIntent, signIntent } from './sign-intent.ts';

export type { ProducerOptions, Proposal };

type Place = { readonly partition: number; readonly offset: number };
type Sent = {
  readonly id: string;
  readonly proposal: Proposal;
  readonly body: Uint8Array;
  readonly signed: SignedIntent;
};
type Failure = { readonly code: string; readonly what: string; readonly cause?: unknown };
type Waiter = {
  readonly take: (raw: RawReply) => void;
  readonly stop: () => void;
  readonly early: RawReply[];
  place: Place | undefined;
};

const RECORD_BYTES_MAX = 1_000_000;
const CONNECT_DEADLINE_MS = 15_000;

/** Requests changes over Kafka. One of it serves many proposals at once; close it at the end. */
export class IntentProducer {
  readonly #options: ProducerOptions;
  readonly #admin: Admin;
  readonly #producer: Producer;
  readonly #consumer: Consumer;
  readonly #waiters = new Map<string, Waiter>();
  #nextOffset = 0;
  /** Why no reply is read any more; undefined while they are. */
  #ended: string | undefined;
  #onEnd: () => void = () => {};

  private constructor(options: ProducerOptions) {
    const { kafka, tenant } = options;
    this.#options = options;
    this.#admin = kafka.admin();
    this.#producer = kafka.producer({ allowAutoTopicCreation: false });
    this.#consumer = kafka.consumer({
      groupId: `clyra-replies-${tenant}-${randomUUID()}`,
      allowAutoTopicCreation: false,
    });
  }

  /** Resolves once replies are read. Rejects with CLY_PRODUCER_CONNECT, and with CLY_PRODUCER_OPTION before anything is asked. */
  static async connect(options: ProducerOptions): Promise<IntentProducer> {
    checkOptions(options);
    const one = new IntentProducer(options);
    const deadlineMs = options.connectDeadlineMs ?? CONNECT_DEADLINE_MS;
    try {
      await within(deadlineMs, one.#open());
      return one;
    } catch (cause) {
      one.#end('it did not connect in time');
      throw new IntentError('CLY_PRODUCER_CONNECT', `check the brokers and that ${one.#repliesTopic} is there`, {
        cause,
      });
    }
  }

  /**
   * Signs and sends the intent, and resolves with what became of it, whatever that is. Rejects with an IntentError where
   * there is no answer before the deadline, which also keeps intake from beginning it later. `deadlineMs` is a day at most.
   */
  async propose(proposal: Proposal, { deadlineMs }: { readonly deadlineMs: number }): Promise<Reply> {
    checkProposal(proposal, deadlineMs);
    const { tenant, actor, keyId, secret } = this.#options;
    // A copy: what is sent, perhaps again, is what was signed.
    const body = Buffer.from(proposal.body as string);
    const nowMs = Date.now();
    const id = randomUUID();
    const { method, target, key, idempotencyKey, runId } = proposal;
    const signed = signIntent({
      ...{ keyId, secret, tenant, actor, method, target, body, nowMs },
      correlationId: id,
      nonce: randomBytes(18).toString('base64url'),
      expiresAtMs: nowMs + deadlineMs,
      ...(key === undefined ? {} : { key }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(runId === undefined ? {} : { runId }),
    });
    return this.#ask({ id, proposal, body, signed }, deadlineMs);
  }

  /** What is still waited for is rejected with CLY_PRODUCER_CLOSED. */
  async close(): Promise<void> {
    this.#end('it was closed');
    await this.#disconnect();
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#onEnd();
    for (const { stop } of this.#waiters.values()) stop();
  }

  async #disconnect(): Promise<void> {
    await Promise.allSettled([this.#admin, this.#producer, this.#consumer].map((one) => one.disconnect()));
  }

  get #repliesTopic(): string {
    const { topicPrefix = 'clyra', tenant } = this.#options;
    return `${topicPrefix}.replies.${tenant}`;
  }

  /**
   * What was opened before a failure, or comes to be open after the deadline, is closed again: it would keep the process
   * alive. kafkajs ends no attempt before its own time is over, so nobody waits for that.
   */
  async #open(): Promise<void> {
    try {
      await this.#listen(await this.#topicEnd());
    } catch (cause) {
      await this.#disconnect();
      throw cause;
    }
  }

  async #topicEnd(): Promise<number> {
    await this.#step(this.#admin.connect());
    const [first] = await this.#step(this.#admin.fetchTopicOffsets(this.#repliesTopic));
    await this.#step(this.#admin.disconnect());
    return Number(first?.high ?? 0);
  }

  /** Replies are read from where the topic ends now; a group's own offset would skip some after it joined again. */
  async #listen(fromOffset: number): Promise<void> {
    const topic = this.#repliesTopic;
    const consumer = this.#consumer;
    this.#nextOffset = fromOffset;
    await this.#step(Promise.all([this.#producer.connect(), consumer.connect()]));
    await this.#step(consumer.subscribe({ topics: [topic], fromBeginning: false }));
    const joined = new Promise<void>((resolve) => {
      this.#onEnd = resolve;
      consumer.on(consumer.events.GROUP_JOIN, () => {
        consumer.seek({ topic, partition: 0, offset: String(this.#nextOffset) });
        resolve();
      });
    });
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      if (!restart) this.#end(`its replies can be read no more (${error.message})`);
    });
    const run = consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        const offset = Number(message.offset);
        if (offset < this.#nextOffset) return;
        this.#nextOffset = offset + 1;
        this.#receive(message.key, message.value);
      },
    });
    await this.#step(run);
    await this.#step(joined);
  }

  async #step<Value>(work: Promise<Value>): Promise<Value> {
    const value = await work;
    if (this.#ended !== undefined) throw this.#endedError();
    return value;
  }

  #receive(key: Buffer | null, value: Buffer | null): void {
    const waiter = this.#waiters.get(String(key));
    if (waiter === undefined || value === null) return;
    const raw = parseReply(value);
    if (raw === undefined) return;
    // Anybody who may write intents can cause such a reply: it is ours only at the place that the broker gave us.
    if (raw.authenticated) waiter.take(raw);
    else if (waiter.place === undefined) waiter.early.push(raw);
    else if (isAt(raw, waiter.place)) waiter.take(raw);
  }

  async #ask(sent: Sent, deadlineMs: number): Promise<Reply> {
    const { id, body, signed } = sent;
    if (this.#ended !== undefined) throw this.#endedError();
    if (body.length > RECORD_BYTES_MAX) {
      throw new IntentError(
        'CLY_PRODUCER_SIZE',
        `a body has ${RECORD_BYTES_MAX} bytes at most; send larger ones over HTTP`,
      );
    }
    let [take, stop]: [Waiter['take'], Waiter['stop']] = [() => {}, () => {}];
    const received = new Promise<RawReply>((resolve, reject) => {
      take = resolve;
      stop = () => reject(this.#endedError(sent));
    });
    const waiter: Waiter = { take, stop, early: [], place: undefined };
    this.#waiters.set(id, waiter);
    try {
      const raw = await within(deadlineMs, Promise.race([received, this.#send(sent, waiter)]));
      const { tenant, trustRoot } = this.#options;
      const reply = readReply(raw, { eventIds: signed.eventIds, tenant, body, trustRoot, nowMs: Date.now() });
      if (reply !== undefined) return reply;
      const what = 'the receipt is not signed under the trust root, or of another change';
      throw this.#failure(sent, { code: 'CLY_PRODUCER_RECEIPT', what });
    } catch (cause) {
      if (cause instanceof IntentError) throw cause;
      throw this.#failure(sent, cause instanceof LateError ? { ...LATE, cause } : { ...UNSURE, cause });
    } finally {
      this.#waiters.delete(id);
    }
  }

  /** Never resolves, as the reply does that; rejects where the record cannot be sent. */
  async #send({ proposal, body, signed }: Sent, waiter: Waiter): Promise<never> {
    const { topicPrefix = 'clyra' } = this.#options;
    const headers = { ...signed.headers, 'content-type': proposal.contentType ?? 'application/json' };
    const [stored] = await this.#producer.send({
      topic: `${topicPrefix}.intents`,
      acks: -1,
      messages: [{ key: proposal.key ?? null, value: body.length === 0 ? null : Buffer.from(body), headers }],
    });
    const place = { partition: stored?.partition ?? -1, offset: Number(stored?.baseOffset ?? -1) };
    waiter.place = place;
    for (const raw of waiter.early) if (isAt(raw, place)) waiter.take(raw);
    return new Promise(() => {});
  }

  #endedError(sent?: Sent): IntentError<Reply> {
    const what = `this producer ends: ${this.#ended}; connect another one`;
    const eventId = sent?.signed.eventIds[0];
    return new IntentError('CLY_PRODUCER_CLOSED', what, eventId === undefined ? {} : { eventId });
  }

  #failure(sent: Sent, { code, what, cause }: Failure): IntentError<Reply> {
    const again = ({ deadlineMs }: { readonly deadlineMs: number }): Promise<Reply> => this.#ask(sent, deadlineMs);
    return new IntentError(code, what, { eventId: sent.signed.eventIds[0], again, cause });
  }
}

function isAt({ intent }: RawReply, { partition, offset }: Place): boolean {
  return intent.partition === partition && intent.offset === offset;
}

const LATE = {
  code: 'CLY_PRODUCER_DEADLINE',
  what: 'no reply came in time; whether it was carried out is not known',
};
const UNSURE = { code: 'CLY_PRODUCER_SEND', what: 'the brokers did not confirm the intent; it may be in the log' };

class LateError extends Error {}

async function within<Value>(deadlineMs: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateError(`not within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
