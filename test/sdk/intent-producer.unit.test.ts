// SPDX-License-Identifier: Apache-2.0
import { IntentProducer, type ProducerOptions, type Proposal } from '@clyra/producer/intent-producer';
import { describe, expect, it } from '@jest/globals';

type Message = { readonly key: Buffer | null; readonly value: Buffer | null; readonly offset: string };
type Sent = { readonly headers: Readonly<Record<string, string>>; readonly value: Buffer | null };

/** As much of kafkajs as the library uses, without a broker: a test delivers the replies. */
class FakeKafka {
  readonly connected = new Set<string>();
  readonly sent: Sent[] = [];
  readonly #listeners = new Map<string, (event: object) => void>();
  #deliver: (batch: { message: Message }) => Promise<void> = async () => {};
  #offset = 0;
  /** Resolved before the admin is connected, or lets itself be disconnected. */
  reachable: Promise<void> = Promise.resolve();

  admin(): object {
    const connect = async (): Promise<void> => {
      await this.reachable;
      this.connected.add('admin');
    };
    const disconnect = async (): Promise<void> => {
      await this.reachable;
      this.connected.delete('admin');
    };
    return { connect, disconnect, fetchTopicOffsets: async () => [{ high: '0' }] };
  }

  producer(): object {
    const send = async ({ messages: [message] }: { messages: [Sent] }): Promise<object[]> => {
      this.sent.push(message);
      return [{ partition: 0, baseOffset: String(this.sent.length - 1) }];
    };
    return { ...this.#client('producer'), send };
  }

  consumer(): object {
    return {
      ...this.#client('consumer'),
      events: { GROUP_JOIN: 'join', CRASH: 'crash' },
      subscribe: async () => {},
      seek: () => {},
      on: (name: string, listener: (event: object) => void) => this.#listeners.set(name, listener),
      run: async ({ eachMessage }: { eachMessage: (batch: { message: Message }) => Promise<void> }) => {
        this.#deliver = eachMessage;
        this.#listeners.get('join')?.({});
      },
    };
  }

  async reply(key: string, value: string): Promise<void> {
    const message = { key: Buffer.from(key), value: Buffer.from(value), offset: String(this.#offset) };
    this.#offset += 1;
    await this.#deliver({ message });
  }

  crash(restart: boolean): void {
    this.#listeners.get('crash')?.({ payload: { error: new Error('not authorized'), restart } });
  }

  #client(name: string): { connect: () => Promise<void>; disconnect: () => Promise<void> } {
    return {
      connect: async () => {
        this.connected.add(name);
      },
      disconnect: async () => {
        this.connected.delete(name);
      },
    };
  }
}

const PROPOSAL: Proposal = { method: 'POST', target: '/v1/refunds/r-1', body: '{"amount":5}' };
const HOUR = { deadlineMs: 3_600_000 };

function optionsOf(kafka: FakeKafka, more: object = {}): ProducerOptions {
  const secret = Buffer.from('0123456789abcdef0123456789abcdef');
  return { kafka, tenant: 'acme', actor: 'bot', keyId: 'key-1', secret, ...more } as unknown as ProducerOptions;
}

async function connected(): Promise<{ kafka: FakeKafka; producer: IntentProducer }> {
  const kafka = new FakeKafka();
  return { kafka, producer: await IntentProducer.connect(optionsOf(kafka)) };
}

const idOf = (kafka: FakeKafka): string => kafka.sent.at(-1)?.headers['clyra-correlation-id'] ?? '';
const replyTo = (id: string): string =>
  JSON.stringify({ correlation_id: id, state: 'blocked', authenticated: true, intent: { partition: 0, offset: 0 } });

describe('a producer of intents', () => {
  it.each([
    [{ trustRoot: '/etc/clyra/trust-root.json' }, /content of trust-root.json/],
    [{ trustRoot: '{}' }, /content of trust-root.json/],
    [{ secret: 'c2VjcmV0' }, /Buffer.from/],
    [{ secret: Buffer.alloc(0) }, /Buffer.from/],
    [{ tenant: '' }, /tenant/],
    [{ keyId: undefined }, /keyId/],
    [{ kafka: { brokers: [] } }, /kafkajs/],
    [{ connectDeadlineMs: Number.NaN }, /milliseconds/],
  ])('says at once which option is wrong: %j', async (more, what) => {
    const failure = { code: 'CLY_PRODUCER_OPTION', message: expect.stringMatching(what) };
    await expect(IntentProducer.connect(optionsOf(new FakeKafka(), more))).rejects.toMatchObject(failure);
  });

  it.each([
    [{ body: { amount: 5 } }, HOUR, /JSON.stringify/],
    [{ target: 'v1/refunds' }, HOUR, /begin it with/],
    [{ method: 'post' }, HOUR, /method/],
    [{}, { deadlineMs: 2 ** 31 }, /from 1 to 86400000/],
    [{}, { deadlineMs: Number.POSITIVE_INFINITY }, /from 1 to 86400000/],
    [{}, { deadlineMs: 0 }, /from 1 to 86400000/],
  ])('sends nothing of a proposal that is none: %j %j', async (more, deadline, what) => {
    const { kafka, producer } = await connected();
    const failure = { code: 'CLY_PRODUCER_OPTION', message: expect.stringMatching(what) };
    await expect(producer.propose({ ...PROPOSAL, ...more } as Proposal, deadline)).rejects.toMatchObject(failure);
    expect(kafka.sent).toEqual([]);
  });

  it('passes over what is no reply, and takes the one that follows', async () => {
    const { kafka, producer } = await connected();
    const proposed = producer.propose(PROPOSAL, HOUR);
    const id = idOf(kafka);
    for (const other of ['null', '5', '[]', '{}', 'no JSON', '{"authenticated":false,"state":"done"}']) {
      await kafka.reply(id, other);
    }
    await kafka.reply(id, replyTo(id));
    await expect(proposed).resolves.toMatchObject({ state: 'blocked' });
  });

  it('names a receipt that cannot be read as what it is', async () => {
    const { kafka, producer } = await connected();
    const proposed = producer.propose(PROPOSAL, HOUR);
    const id = idOf(kafka);
    const receipt = { body: Buffer.from('no JSON').toString('base64'), signature: {} };
    await kafka.reply(id, JSON.stringify({ ...JSON.parse(replyTo(id)), receipt }));
    await expect(proposed).rejects.toMatchObject({ code: 'CLY_PRODUCER_RECEIPT' });
  });

  it('sends again what was signed, whatever became of the buffer', async () => {
    const { kafka, producer } = await connected();
    const body = Buffer.from('{"amount":5}');
    const failure = await producer.propose({ ...PROPOSAL, body }, { deadlineMs: 1 }).catch((error: unknown) => error);
    body.fill(0x20);
    const again = (failure as { again: (options: object) => Promise<unknown> }).again(HOUR);
    await kafka.reply(idOf(kafka), replyTo(idOf(kafka)));
    await again;
    expect(kafka.sent.map(({ value }) => String(value))).toEqual(['{"amount":5}', '{"amount":5}']);
    expect(kafka.sent[1]?.headers).toEqual(kafka.sent[0]?.headers);
  });

  it.each([
    ['it is closed', (_: FakeKafka, producer: IntentProducer) => producer.close()],
    ['the brokers let it read no more', async (kafka: FakeKafka) => kafka.crash(false)],
  ])('lets nobody wait once %s', async (_, end) => {
    const { kafka, producer } = await connected();
    const proposed = producer.propose(PROPOSAL, HOUR);
    const ended = expect(proposed).rejects.toMatchObject({
      code: 'CLY_PRODUCER_CLOSED',
      eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    await end(kafka, producer);
    await ended;
    await expect(producer.propose(PROPOSAL, HOUR)).rejects.toMatchObject({ code: 'CLY_PRODUCER_CLOSED' });
  });

  it('goes on where the client comes back by itself', async () => {
    const { kafka, producer } = await connected();
    const proposed = producer.propose(PROPOSAL, HOUR);
    kafka.crash(true);
    await kafka.reply(idOf(kafka), replyTo(idOf(kafka)));
    await expect(proposed).resolves.toMatchObject({ state: 'blocked' });
  });

  it('opens nothing after its deadline for connecting: an open connection keeps a process alive', async () => {
    const kafka = new FakeKafka();
    let reach: () => void = () => {};
    kafka.reachable = new Promise((resolve) => {
      reach = resolve;
    });
    const connecting = IntentProducer.connect(optionsOf(kafka, { connectDeadlineMs: 5 }));
    await expect(connecting).rejects.toMatchObject({ code: 'CLY_PRODUCER_CONNECT' });
    reach();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([...kafka.connected]).toEqual([]);
  });
});
