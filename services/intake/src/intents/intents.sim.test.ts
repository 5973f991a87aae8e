// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { BatchVerifier } from '@clyra/core/signing/batch-verifier';
import { RECEIPT_TYPE } from '@clyra/core/signing/pae';
import { parseBlock } from '@clyra/core/signing/parse-block';
import { makeTestTrust } from '@clyra/testing/test-keys';
import { describe, expect, it } from '@jest/globals';
import { KEYS, okResult, POLICY_TEXT } from '../test-support/intake-world.ts';
import { codeOfReply, type Intent, IntentWorld, receiptOfReply } from '../test-support/intent-world.ts';

async function opened(seed = 1): Promise<IntentWorld> {
  const door = new IntentWorld(seed);
  await door.start();
  return door;
}

function headerOf(headers: readonly string[] | undefined, name: string): string | undefined {
  const at = headers?.indexOf(name) ?? -1;
  return at === -1 ? undefined : headers?.[at + 1];
}

describe('the Kafka door', () => {
  it('carries an allowed intent out once and answers with its receipt, signed as it lies in the log', async () => {
    const door = await opened();
    const offset = door.send({ id: 'c-1', key: 'r-1' }, 1);
    await door.world.pass(500);
    const [reply] = door.replies();
    expect(reply).toMatchObject({
      v: 0,
      state: 'done',
      tenant: 'acme',
      correlation_id: 'c-1',
      authenticated: true,
      intent: { partition: 1, offset },
      answer: { status: 201, body: Buffer.from('made').toString('base64'), content_type: 'text/plain' },
    });
    const { bytes, signature } = receiptOfReply(reply);
    const receipt = JSON.parse(String(bytes)) as JsonObject;
    expect(receipt).toMatchObject({ event_id: reply?.['event_id'], decision: 'allow' });
    const block = parseBlock(signature) as NonNullable<ReturnType<typeof parseBlock>>;
    const { root } = makeTestTrust([KEYS.enforcer]);
    const signed = { digest: digestOf(bytes), block, atMs: door.world.clock.nowMs() };
    expect(new BatchVerifier(RECEIPT_TYPE, 'enforcer').verify(root, signed)).toBe(true);
    expect(door.world.forwarded).toHaveLength(1);
    expect(headerOf(door.world.forwarded[0]?.headers, 'clyra-event-id')).toBe(reply?.['event_id']);
    expect(headerOf(door.world.forwarded[0]?.headers, 'clyra-correlation-id')).toBeUndefined();
    expect(door.savedOffsets()).toEqual([0, 1]);
    expect(door.world.changesOf('change.outcome')).toMatchObject([{ outcome: 'done' }]);
  });

  it('says what a failing, an unreachable and a silent upstream came to', async () => {
    const door = await opened();
    const answers = {
      bad: { kind: 'answered', status: 500, headers: {}, body: Buffer.from('no') },
      gone: { kind: 'not_sent', detail: 'upstream_unreachable' },
      slow: { kind: 'failed', detail: 'upstream_timeout', timedOut: true },
    } as const;
    for (const [id, answer] of Object.entries(answers)) {
      door.world.answer = () => answer;
      door.send({ id });
      await door.world.pass(200);
    }
    const states = door.replies().map((reply) => [reply['correlation_id'], reply['state'], codeOfReply(reply)]);
    expect(states).toEqual([
      ['bad', 'failed', undefined],
      ['gone', 'not_forwarded', 'CLY_UPSTREAM_UNREACHABLE'],
      ['slow', 'failed', 'CLY_UPSTREAM_TIMEOUT'],
    ]);
  });

  it('answers a copy that a producer’s retry left with the same receipt, and carries it out once', async () => {
    const door = await opened();
    const record = door.record({ id: 'twice', key: 'k' });
    for (const partition of [0, 0, 1]) door.put(record, partition);
    await door.world.pass(1_000);
    const replies = door.repliesTo('twice');
    expect(replies).toHaveLength(3);
    expect(new Set(replies.map((reply) => JSON.stringify(reply['receipt']))).size).toBe(1);
    expect(replies.map((reply) => reply['state'])).toEqual(['done', 'done', 'done']);
    expect(replies.filter((reply) => reply['repeated'] === true)).toHaveLength(2);
    expect(door.world.forwarded).toHaveLength(1);
  });

  it('keeps the order of a record key, and holds up nothing else for a slow one', async () => {
    const door = await opened();
    const seen: string[] = [];
    door.world.answer = async ({ target, body }) => {
      seen.push(`${target} ${Buffer.from(body as Uint8Array).toString()}`);
      if (target.endsWith('/slow')) await new Promise<void>((resolve) => door.world.clock.after(2_000, resolve));
      return okResult();
    };
    for (const amount of [1, 2, 3]) {
      const body = `{"account":"a","amount":${amount}}`;
      door.send({ id: `slow-${amount}`, key: 'slow', target: '/v1/refunds/slow', body });
      door.send({ id: `free-${amount}`, target: '/v1/refunds/free', body });
    }
    await door.world.pass(1_000);
    const early = door.replies().map((reply) => String(reply['correlation_id']));
    expect(early.toSorted()).toEqual(['free-1', 'free-2', 'free-3']);
    await door.world.pass(6_000);
    const slow = seen
      .filter((line) => line.includes('slow'))
      .map((line) => JSON.parse(line.split(' ')[1] ?? '').amount);
    expect(slow).toEqual([1, 2, 3]);
    expect(door.replies()).toHaveLength(6);
  });

  it('refuses what waits too long behind its key, and what has too many before it', async () => {
    const door = await opened();
    door.world.answer = async () => {
      await new Promise<void>((resolve) => door.world.clock.after(1_000, resolve));
      return okResult();
    };
    const expiresAtMs = door.world.clock.nowMs() + 1_500;
    for (let count = 0; count < 70; count += 1) door.send({ id: `n-${count}`, key: 'hot', expiresAtMs });
    await door.world.pass(4_000);
    const codes = door.replies().map(codeOfReply);
    expect(codes.filter((code) => code === undefined)).toHaveLength(2);
    expect(codes.filter((code) => code === 'CLY_INTENT_KEY_BUSY')).toHaveLength(6);
    expect(codes.filter((code) => code === 'CLY_INTENT_EXPIRED')).toHaveLength(62);
    expect(door.world.forwarded).toHaveLength(2);
  });

  it('takes ten thousand bytes and two at a time when told so, and loses none of three hundred', async () => {
    const door = new IntentWorld();
    await door.start({ intents: { limits: { inFlightMax: 2, queueBytesMax: 10_000 } } });
    let most = 0;
    let open = 0;
    door.world.answer = async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise<void>((resolve) => door.world.clock.after(3, resolve));
      open -= 1;
      return okResult();
    };
    for (let count = 0; count < 300; count += 1) door.send({ id: `n-${count}` }, count % 2);
    await door.world.pass(20_000);
    expect(most).toBe(2);
    expect(new Set(door.replies().map((reply) => reply['correlation_id'])).size).toBe(300);
    expect(door.savedOffsets()).toEqual([150, 150]);
  });

  it('lets review routes go on whatever the receipt says, once, and waits for that receipt', async () => {
    const door = await opened();
    const record = door.record({ id: 'watched', target: '/v1/watched', body: '{"amount":"many"}' });
    for (let count = 0; count < 2; count += 1) door.put(record);
    await door.world.pass(1_000);
    const [first, second] = door.repliesTo('watched');
    expect(first).toMatchObject({ state: 'done', answer: { status: 201 } });
    const receipt = JSON.parse(String(receiptOfReply(first).bytes));
    expect(receipt).toMatchObject({ decision: 'block', mode: 'review' });
    expect(second).toMatchObject({ repeated: true, receipt: first?.['receipt'] });
    expect(door.world.forwarded).toHaveLength(1);
  });

  it('inspects again under a new policy, and still answers once', async () => {
    const door = await opened();
    const intake = await door.start({ intake: { instance: 'intake-2', epoch: 1 }, intents: undefined as never });
    const next = door.world.addPolicy(POLICY_TEXT.replace('name: payments', 'name: payments-2'));
    const activation = {
      signers: [KEYS.author, KEYS.approver],
      policy: next.digest,
      replaces: door.world.policy.digest,
    };
    const moved = door.world.submit(intake, 'policy.activated', activation);
    for (let count = 0; count < 40; count += 1) {
      door.send({ id: `n-${count}` });
      await door.world.pass(1);
    }
    expect((await door.world.during(moved)).status).toBe(200);
    await door.world.pass(2_000);
    expect(door.replies().map((reply) => reply['state'])).toEqual(Array(40).fill('done'));
    const superseding = door.world.changesOf('change.requested').filter((change) => change['supersedes'] !== undefined);
    expect(superseding.length).toBeGreaterThan(0);
    expect(door.world.forwarded).toHaveLength(40);
  });
});

describe('what the Kafka door refuses', () => {
  const EXPECTED: readonly (readonly [Intent, string, string])[] = [
    [{ id: 'schema', body: '{"account":"a-1","amount":"five"}' }, 'blocked', 'CLY_SCHEMA_INVALID'],
    [{ id: 'json', body: '{"account":' }, 'blocked', 'CLY_JSON_SYNTAX'],
    [{ id: 'big', body: `{"account":"${'a'.repeat(1_048_576)}","amount":5}` }, 'blocked', 'CLY_BODY_TOO_LARGE'],
    [{ id: 'route', target: '/v1/elsewhere' }, 'blocked', 'CLY_ROUTE_UNKNOWN'],
    [{ id: 'tenant', tenant: 'rival' }, 'blocked', 'CLY_FENCE_TENANT'],
    [{ id: 'actor', actor: 'boss' }, 'blocked', 'CLY_FENCE_ACTOR'],
    [{ id: 'push', target: '/v1/audiences' }, 'held', 'CLY_APPROVAL_REQUIRED'],
    [{ id: 'upstream', target: '/v1/nowhere' }, 'not_forwarded', 'CLY_UPSTREAM_NOT_LISTED'],
  ];

  it.each(EXPECTED.map((row) => [row[0].id, ...row] as const))('%s: with a receipt', async (_, intent, state, code) => {
    const door = await opened();
    door.send(intent);
    await door.world.pass(500);
    const [reply] = door.replies();
    expect([reply?.['state'], codeOfReply(reply)]).toEqual([state, code]);
    expect(reply).toMatchObject({ authenticated: true, receipt: { body: expect.any(String) } });
    expect(door.world.forwarded).toEqual([]);
    expect(door.savedOffsets()).toEqual([1, 0]);
  });

  it('what is old, ahead of time or expired, before anything is recorded', async () => {
    const door = await opened();
    const nowMs = door.world.clock.nowMs();
    door.send({ id: 'old', nowMs: nowMs - 301_000 });
    door.send({ id: 'ahead', nowMs: nowMs + 302_000 });
    door.send({ id: 'expired', expiresAtMs: nowMs });
    await door.world.pass(500);
    const found = door.replies().map((reply) => [reply['correlation_id'], reply['state'], codeOfReply(reply)]);
    expect(found.sort()).toEqual([
      ['ahead', 'refused', 'CLY_AUTH_TIMESTAMP'],
      ['expired', 'refused', 'CLY_INTENT_EXPIRED'],
      ['old', 'refused', 'CLY_AUTH_TIMESTAMP'],
    ]);
    expect(door.world.changesOf('change.requested')).toEqual([]);
  });

  it('what nobody has signed, with an answer that says so', async () => {
    const door = await opened();
    const good = door.record({ id: 'good' });
    const without = (name: string) => ({ ...good, headers: good.headers.filter(([one]) => one !== name) });
    const with_ = (name: string, value: string | null) => ({
      ...good,
      headers: [...good.headers, [name, value === null ? null : Buffer.from(value)] as const],
    });
    const sent = [
      [door.record({ id: 'secret', secret: Buffer.alloc(32, 7) }), 'CLY_AUTH_INVALID'],
      [{ ...good, key: Buffer.from('other') }, 'CLY_AUTH_INVALID'],
      [{ ...good, value: Buffer.from('{"account":"a-2","amount":5}') }, undefined],
      [without('x-clyra-signature'), 'CLY_AUTH_MISSING'],
      [without('x-clyra-nonce'), 'CLY_AUTH_MALFORMED'],
      [without('x-clyra-timestamp'), 'CLY_AUTH_MALFORMED'],
      [without('clyra-method'), 'CLY_REQUEST_METHOD'],
      [with_('clyra-target', '/v1/other'), 'CLY_INTENT_HEADERS'],
      [with_('clyra-expires-at', 'soon'), 'CLY_INTENT_EXPIRY'],
      [with_('x-tenant-id', 'rival'), 'CLY_REQUEST_HEADER_REPEATED'],
      [with_('host', 'elsewhere'), 'CLY_REQUEST_HOST'],
      [with_('signature', 'sig1=:AAAA:'), 'CLY_AUTH_MISSING'],
      [with_('transfer-encoding', 'gzip'), 'CLY_REQUEST_FRAMING'],
    ] as const;
    const offsets = new Map(sent.map(([record, code]) => [door.put(record), code]));
    await door.world.pass(1_000);
    const codes = new Map(
      door.replies().map((reply) => [(reply['intent'] as { offset: number }).offset, reply] as const),
    );
    for (const [offset, code] of offsets) {
      const reply = codes.get(offset);
      // A changed value is no stranger's: the signature names the digest that was signed.
      if (code === undefined) expect(codeOfReply(reply)).toBe('CLY_BODY_DIGEST_MISMATCH');
      else expect([codeOfReply(reply), reply?.['authenticated'], reply?.['state']]).toEqual([code, false, 'refused']);
    }
    expect(door.world.forwarded).toEqual([]);
  });

  it('what can be answered to nobody, with a specimen that holds no payload, and goes on behind it', async () => {
    const door = await opened();
    const good = door.record({ id: 'good' });
    door.put({ key: null, value: Buffer.from('card 4111-1111'), headers: [] });
    door.put({ key: null, value: null, headers: [['x-tenant-id', null]] });
    door.put({
      ...good,
      headers: good.headers.map(
        ([name, value]) => [name, name === 'x-tenant-id' ? Buffer.from('nobody') : value] as const,
      ),
    });
    door.put({ ...good, headers: [...good.headers, ['note', Buffer.from([0xff, 0xfe])] as const] });
    door.send({ id: 'behind' });
    await door.world.pass(2_000);
    expect(
      door
        .specimens()
        .map(({ offset, reason }) => [offset, reason])
        .sort(),
    ).toEqual([
      [0, 'CLY_INTENT_CORRELATION'],
      [1, 'CLY_INTENT_HEADERS'],
      [2, 'CLY_AUTH_INVALID'],
      [3, 'CLY_INTENT_HEADERS'],
    ]);
    expect(JSON.stringify(door.specimens())).not.toContain('4111');
    expect(door.repliesTo('behind')).toMatchObject([{ state: 'done' }]);
    expect(door.world.edgeCounts()).toMatchObject({ CLY_INTENT_CORRELATION: 1, CLY_AUTH_INVALID: 1 });
    expect(door.savedOffsets()).toEqual([5, 0]);
  });

  it('a flood without proofs: some are answered, all are counted, and good intents go on', async () => {
    const door = await opened();
    const forged = door.record({ id: 'forged', secret: Buffer.alloc(32, 7) });
    for (let count = 0; count < 500; count += 1) door.put(forged);
    door.send({ id: 'behind' });
    await door.world.pass(3_000);
    expect(door.repliesTo('forged').length).toBeLessThanOrEqual(60);
    expect(door.repliesTo('behind')).toMatchObject([{ state: 'done' }]);
    expect(door.world.edgeCounts()).toMatchObject({ CLY_AUTH_INVALID: 500 });
    expect(door.savedOffsets()).toEqual([501, 0]);
  });
});
