// SPDX-License-Identifier: Apache-2.0
// One change over Kafka with plain kafkajs: node propose.mjs METHOD TARGET BODY. Prints the reply.
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { argv, env, stdout } from 'node:process';
import kafkajs from 'kafkajs';

const { KAFKA_BROKERS, CLYRA_TENANT, CLYRA_ACTOR, CLYRA_KEY_ID, CLYRA_SECRET, CLYRA_TOPIC_PREFIX = 'clyra' } = env;
const [method, target, body] = argv.slice(2);
const DEADLINE_MS = 30_000;

const kafka = new kafkajs.Kafka({ brokers: KAFKA_BROKERS.split(','), logLevel: kafkajs.logLevel.NOTHING });
const repliesTopic = `${CLYRA_TOPIC_PREFIX}.replies.${CLYRA_TENANT}`;
const id = randomUUID();

// Read from where the topic ends now, so that no reply can come unseen.
const admin = kafka.admin();
await admin.connect();
const [{ high }] = await admin.fetchTopicOffsets(repliesTopic);
await admin.disconnect();
const consumer = kafka.consumer({ groupId: `propose-${id}` });
await consumer.connect();
await consumer.subscribe({ topics: [repliesTopic] });
const reply = new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error('no reply in time')), DEADLINE_MS).unref();
  consumer.on(consumer.events.GROUP_JOIN, () => consumer.seek({ topic: repliesTopic, partition: 0, offset: high }));
  consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => {
      const found = JSON.parse(String(message.value));
      if (String(message.key) === id && found.authenticated) resolve(found);
    },
  });
});

const timestamp = String(Date.now());
const nonce = randomBytes(18).toString('base64url');
const expiresAt = String(Date.now() + DEADLINE_MS);
const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
const lines = [
  'clyra-intent-hmac-v0',
  method,
  target,
  CLYRA_TENANT,
  CLYRA_ACTOR,
  timestamp,
  nonce,
  id,
  '',
  digest,
  id,
  expiresAt,
  '',
];
const headers = {
  'clyra-method': method,
  'clyra-target': target,
  'clyra-correlation-id': id,
  'clyra-expires-at': expiresAt,
  'x-tenant-id': CLYRA_TENANT,
  'x-actor-id': CLYRA_ACTOR,
  'x-clyra-key-id': CLYRA_KEY_ID,
  'x-clyra-timestamp': timestamp,
  'x-clyra-nonce': nonce,
  'idempotency-key': id,
  'content-type': 'application/json',
  'content-digest': digest,
  'x-clyra-signature': createHmac('sha256', Buffer.from(CLYRA_SECRET, 'base64')).update(lines.join('\n')).digest('hex'),
};
const producer = kafka.producer();
await producer.connect();
await producer.send({ topic: `${CLYRA_TOPIC_PREFIX}.intents`, messages: [{ value: body, headers }] });
await producer.disconnect();

stdout.write(`${JSON.stringify(await reply)}\n`);
await consumer.disconnect();
