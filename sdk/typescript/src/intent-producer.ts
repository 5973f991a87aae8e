// SPDX-License-Identifier: Apache-2.0
import { randomBytes, randomUUID } from 'node:crypto';
import type { Consumer, Kafka, Producer } from 'kafkajs';
import { IntentError } from './intent-error.ts';
import { type RawReply, type Reply, readReply } from './reply.ts';
import { type SignedIntent, signIntent } from './sign-intent.ts';

export type ProducerOptions = {
  /** The caller's own client: brokers, TLS and user are its. */
  readonly kafka: Kafka;
  readonly tenant: string;
  readonly actor: string;
  readonly keyId: string;
  readonly secret: Uint8Array;
  /** trust-root.json as text: receipts that it does not cover are refused. Without it none is checked. */
  readonly trustRoot?: string;
  readonly topicPrefix?: string;
  readonly connectDeadlineMs?: number;
};

export type Proposal = {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly body: Uint8Array | string;
  readonly contentType?: string;
  /** Proposals of one key are carried out one after the other. */
  readonly key?: string;
  readonly idempotencyKey?: string;
  readonly runId?: string;
};

type Place = { readonly partition: number; readonly offset: number };
type Sent = {
  readonly id: string;
  readonly proposal: Proposal;
  readonly body: Uint8Array;
  readonly signed: SignedIntent;
};
type Failure = { readonly code: string; readonly what: string; readonly cause?: unknown };
type Waiter = { readonly take: (raw: RawReply) => void; readonly early: RawReply[]; place: Place | undefined };

const RECORD_BYTES_MAX = 1_000_000;
const CONNECT_DEADLINE_MS = 15_000;

/** Requests changes over Kafka. One of it serves many proposals at once; close it at the end. */
export class IntentProducer {
  readonly #options: ProducerOptions;
  readonly #producer: Producer;
  readonly #consumer: Consumer;
  readonly #waiters = new Map<string, Waiter>();
  #nextOffset = 0;
  #closed = false;

  private constructor(options: ProducerOptions) {
    const { kafka, tenant } = options;
    this.#options = options;
    this.#producer = kafka.producer({ allowAutoTopicCreation: false });
    this.#consumer = kafka.consumer({
      groupId: `clyra-replies-${tenant}-${randomUUID()}`,
      allowAutoTopicCreation: false,
    });
  }

  /** Resolves once replies are read. Rejects with CLY_PRODUCER_CONNECT. */
  static async connect(options: ProducerOptions): Promise<IntentProducer> {
    const one = new IntentProducer(options);
    const deadlineMs = options.connectDeadlineMs ?? CONNECT_DEADLINE_MS;
    try {
      await within(deadlineMs, one.#open());
      return one;
    } catch (cause) {
      await one.close();
      throw new IntentError('CLY_PRODUCER_CONNECT', `check the brokers and that ${one.#repliesTopic} is there`, {
        cause,
      });
    }
  }

  /**
   * Signs and sends the intent, and resolves with what became of it, whatever that is. Rejects with an IntentError where
   * there is no answer before the deadline, which also keeps intake from beginning it later.
   */
  propose(proposal: Proposal, { deadlineMs }: { readonly deadlineMs: number }): Promise<Reply> {
    const { tenant, actor, keyId, secret } = this.#options;
    const body = typeof proposal.body === 'string' ? Buffer.from(proposal.body, 'utf8') : proposal.body;
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

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([this.#producer.disconnect(), this.#consumer.disconnect()]);
  }

  get #repliesTopic(): string {
    const { topicPrefix = 'clyra', tenant } = this.#options;
    return `${topicPrefix}.replies.${tenant}`;
  }

  /** Replies are read from where the topic ends now; a group's own offset would skip some after it joined again. */
  async #open(): Promise<void> {
    const topic = this.#repliesTopic;
    const admin = this.#options.kafka.admin();
    await admin.connect();
    try {
      const [first] = await admin.fetchTopicOffsets(topic);
      this.#nextOffset = Number(first?.high ?? 0);
    } finally {
      await admin.disconnect();
    }
    await Promise.all([this.#producer.connect(), this.#consumer.connect()]);
    await this.#consumer.subscribe({ topics: [topic], fromBeginning: false });
    const joined = new Promise<void>((resolve) => {
      this.#consumer.on(this.#consumer.events.GROUP_JOIN, () => {
        this.#consumer.seek({ topic, partition: 0, offset: String(this.#nextOffset) });
        resolve();
      });
    });
    await this.#consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        const offset = Number(message.offset);
        if (offset < this.#nextOffset) return;
        this.#nextOffset = offset + 1;
        this.#receive(message.key, message.value);
      },
    });
    await joined;
  }

  #receive(key: Buffer | null, value: Buffer | null): void {
    const waiter = this.#waiters.get(String(key));
    if (waiter === undefined || value === null) return;
    const raw = parsed(value);
    if (raw === undefined) return;
    // Anybody who may write intents can cause such a reply: it is ours only at the place that the broker gave us.
    if (raw.authenticated) waiter.take(raw);
    else if (waiter.place === undefined) waiter.early.push(raw);
    else if (isAt(raw, waiter.place)) waiter.take(raw);
  }

  async #ask(sent: Sent, deadlineMs: number): Promise<Reply> {
    const { id, body, signed } = sent;
    if (this.#closed) throw new IntentError('CLY_PRODUCER_CLOSED', 'this producer was closed: connect another one');
    if (body.length > RECORD_BYTES_MAX) {
      throw new IntentError(
        'CLY_PRODUCER_SIZE',
        `a body has ${RECORD_BYTES_MAX} bytes at most; send larger ones over HTTP`,
      );
    }
    let take: Waiter['take'] = () => {};
    const received = new Promise<RawReply>((resolve) => {
      take = resolve;
    });
    const waiter: Waiter = { take, early: [], place: undefined };
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

  #failure(sent: Sent, { code, what, cause }: Failure): IntentError<Reply> {
    const again = ({ deadlineMs }: { readonly deadlineMs: number }): Promise<Reply> => this.#ask(sent, deadlineMs);
    return new IntentError(code, what, { eventId: sent.signed.eventIds[0], again, cause });
  }
}

/** Only intake may write replies; what is none of its is passed over, so that it stops no other. */
function parsed(value: Buffer): RawReply | undefined {
  try {
    return JSON.parse(value.toString('utf8')) as RawReply;
  } catch {
    return undefined;
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
