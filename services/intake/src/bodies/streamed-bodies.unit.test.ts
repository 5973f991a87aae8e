// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { digestOf } from '@clyra/core/canonical/digest';
import { formatContentDigest } from '@clyra/core/inspection/content-digest';
import { signRequest } from '@clyra/core/inspection/request-signature';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { UpstreamRequest, UpstreamResult } from '../gateway/upstream.ts';
import { type GatewayListener, startGatewayListener } from '../http/gateway-listener.ts';
import type { IntakeProcessor } from '../intake.processor.ts';
import { IntakeWorld, KEYS, okResult, POLICY_TEXT, SECRET, TENANT } from '../test-support/intake-world.ts';
import { SpoolFolder } from './spool-folder.ts';

const POLICY = `${POLICY_TEXT.replace(
  'routes:\n',
  `  contact: { type: object, required: [id], additionalProperties: false, properties: { id: { type: integer }, tenant: { type: string } } }
routes:
  - { id: sync, method: POST, path: /v1/sync, upstream: crm, schema: contact, body: { form: ndjson, bytes_max: 4000000, deadline_seconds: 2 } }
  - { id: batch, method: POST, path: /v1/batch, upstream: crm, schema: contact, body: { form: items, items: /records } }
  - { id: mended, method: POST, path: /v1/mended, upstream: crm, schema: refund, body: { repair: [syntax, text_to_number] } }
  - { id: stream, method: POST, path: /v1/stream, upstream: crm, response: { total_seconds: 1, silence_seconds: 1, bytes_max: 1000 } }
  - { id: checked, method: POST, path: /v1/checked, upstream: crm, response: { schema: refund, total_seconds: 1 } }
  - { id: listed, method: POST, path: /v1/listed, upstream: crm, response: { schema: contact, form: ndjson } }
`,
)}`;

type Got = { readonly status: number; readonly body: string; readonly whole: boolean; readonly eventId: unknown };

let serial = 0;
let gatewayUrl = '';

function signed(target: string, body: Uint8Array | string): Record<string, string> {
  serial += 1;
  const unique = `stream-${String(serial).padStart(16, '0')}`;
  const nowMs = Date.now();
  const who = { keyId: 'key-1', secret: SECRET, tenant: TENANT, actor: 'bot' };
  return signRequest({ ...who, method: 'POST', target, nowMs, nonce: unique, idempotencyKey: unique, body });
}

/** Sends a body in pieces, as a client without knowledge of its length does. */
function send(
  target: string,
  pieces: readonly (string | Uint8Array)[],
  extra: Record<string, string> = {},
): Promise<Got> {
  const body = Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      `${gatewayUrl}${target}`,
      { method: 'POST', headers: { 'content-type': 'application/x-ndjson', ...signed(target, body), ...extra } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        const eventId = answer.headers['clyra-event-id'];
        answer.on('close', () =>
          resolve({ status: answer.statusCode ?? 0, body: text, whole: answer.complete, eventId }),
        );
        answer.on('error', () => {});
      },
    );
    outgoing.on('error', reject);
    Readable.from(pieces.map((piece) => Buffer.from(piece as string))).pipe(outgoing);
  });
}

describe('bodies of any size', () => {
  const world = new IntakeWorld({ realTime: true });
  const received: Buffer[] = [];
  let folder: string;
  let intake: IntakeProcessor;
  let listener: GatewayListener;
  let reply: (request: UpstreamRequest) => UpstreamResult | Promise<UpstreamResult>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clyra-bodies-'));
    const compiled = world.addPolicy(POLICY);
    const spool = await SpoolFolder.open(folder, new SeededRandom(3), { memoryBytesMax: 10_000, countMax: 2 });
    intake = await world.open({ limits: { holdMs: 10_000 }, spool });
    await world.command(intake, 'policy.activated', {
      signers: [KEYS.author, KEYS.approver],
      policy: compiled.digest,
      replaces: world.policy.digest,
    });
    listener = await startGatewayListener({
      host: '127.0.0.1',
      port: 0,
      clock: world.clock,
      handle: (request) => intake.gateway.handle(request),
      onRefused: (code) => intake.api.edge.count(code),
    });
    gatewayUrl = listener.url;
    world.answer = async (request) => {
      const { body } = request;
      const chunks: Uint8Array[] = [];
      if (body instanceof Uint8Array) chunks.push(body);
      else for await (const chunk of body.chunks()) chunks.push(chunk);
      received.push(Buffer.concat(chunks));
      return reply(request);
    };
  });

  beforeEach(() => {
    reply = () => okResult();
    received.length = 0;
  });

  afterAll(async () => {
    await listener.close(1_000);
    await intake.stop(2_000);
    await rm(folder, { recursive: true, force: true });
  });

  const lastFacts = (): Record<string, unknown> =>
    world.changesOf('change.requested').at(-1)?.['facts'] as Record<string, unknown>;
  /** What the outcome of a change says of the answer, once it is in the log. */
  const responseOf = async ({ eventId }: Got): Promise<unknown> => {
    for (let waitedMs = 0; waitedMs < 5_000; waitedMs += 20) {
      const outcome = world.changesOf('change.outcome').findLast((change) => change['of'] === eventId);
      if (outcome !== undefined) return outcome['response'];
      await world.pass(20);
    }
    return undefined;
  };

  it('forwards lines byte for byte after the receipt, and leaves nothing in the spool', async () => {
    const lines = Array.from({ length: 30_000 }, (_, id) => `{"id":${id},"tenant":"acme"}\n`);
    const pieces = Array.from({ length: 30 }, (_, at) => lines.slice(at * 1_000, (at + 1) * 1_000).join(''));
    const whole = pieces.join('');
    expect(await send('/v1/sync', pieces)).toMatchObject({ status: 201, body: 'made' });
    expect(received[0]?.equals(Buffer.from(whole))).toBe(true);
    expect(world.forwarded.at(-1)?.body).toMatchObject({ size: Buffer.byteLength(whole) });
    expect(lastFacts()).toMatchObject({
      content: 'ok',
      payload_digest: digestOf(whole),
      payload_size: Buffer.byteLength(whole),
      canonical_digest: null,
      items: { form: 'ndjson', count: 30_000 },
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['a bad line', ['{"id":1}\n', '{"id":"x"}\n'], 422, 'CLY_SCHEMA_INVALID'],
    ['a line of another tenant', ['{"id":1,"tenant":"acme"}\n{"id":2,"tenant":"evil"}\n'], 403, 'CLY_FENCE_TENANT'],
    ['a line that is no JSON', ['{"id":1}\n{"id":'], 400, 'CLY_JSON_SYNTAX'],
    ['no line', [''], 400, 'CLY_BODY_ITEMS'],
    ['too many bytes', Array.from({ length: 45 }, () => `{"id":1}${' '.repeat(99_990)}\n`), 413, 'CLY_BODY_TOO_LARGE'],
  ])('blocks %s with a receipt', async (_, pieces, status, code) => {
    const before = world.forwarded.length;
    const got = await send('/v1/sync', pieces);
    expect({ status: got.status, code: (JSON.parse(got.body) as { code: string }).code }).toEqual({ status, code });
    expect(JSON.parse(got.body)).toHaveProperty('receipt_id');
    expect([world.forwarded.length, await readdir(folder)]).toEqual([before, []]);
  });

  it('refuses other bytes than were signed, another media type and an encoding', async () => {
    const other = formatContentDigest(createHash('sha256').update('other').digest('hex'));
    const codeOf = async (extra: Record<string, string>): Promise<unknown> =>
      (JSON.parse((await send('/v1/sync', ['{"id":1}\n'], extra)).body) as { code: string }).code;
    expect(await codeOf({ 'content-digest': other })).toBe('CLY_AUTH_INVALID');
    expect(await codeOf({ 'content-type': 'application/json' })).toBe('CLY_BODY_MEDIA_TYPE');
    expect(await codeOf({ 'content-encoding': 'gzip' })).toBe('CLY_BODY_ENCODING');
  });

  it('takes a list inside a document', async () => {
    const got = await send('/v1/batch', ['{"records":[{"id":1},', '{"id":2}]}'], {
      'content-type': 'application/json',
    });
    expect(got.status).toBe(201);
    expect(lastFacts()).toMatchObject({ items: { form: 'items', count: 2 } });
  });

  it('forwards the repaired body under its own digest, and says what was repaired', async () => {
    const got = await send('/v1/mended', ['{"account":"a-1","amount":"5"}'], {
      'content-type': 'application/json',
    });
    expect(got.status).toBe(201);
    expect(received[0]?.toString()).toBe('{"account":"a-1","amount":5}');
    const headers = world.forwarded.at(-1)?.headers ?? [];
    const digests = headers.filter((_, index) => headers[index - 1] === 'content-digest');
    expect(digests).toEqual([formatContentDigest(digestOf('{"account":"a-1","amount":5}'))]);
    const repair = { kind: 'coercion', count: 1, changes: [{ path: '/amount', repair: 'text_to_number' }] };
    expect(lastFacts()).toMatchObject({ payload_digest: digestOf('{"account":"a-1","amount":"5"}'), repair });
    expect(
      JSON.parse(Buffer.from(world.enforcer.decided.findLast(({ signed }) => signed)?.bytes ?? '').toString()),
    ).toMatchObject({ decision: 'allow', repair });
  });

  it('gives up on a body that comes too slowly', async () => {
    const before = intake.gateway.inFlight;
    const headers = { 'content-type': 'application/x-ndjson', ...signed('/v1/sync', '{"id":1}\n'.repeat(2)) };
    const answered = new Promise<number | undefined>((resolve) => {
      const slow = httpRequest(`${listener.url}/v1/sync`, { method: 'POST', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      slow.on('error', () => {});
      slow.write('{"id":1}\n');
    });
    expect(await answered).toBe(408);
    expect([intake.gateway.inFlight, await readdir(folder)]).toEqual([before, []]);
  });

  describe('answers', () => {
    const streamed = (chunks: () => AsyncGenerator<Uint8Array>, type = 'text/event-stream'): UpstreamResult => ({
      kind: 'answered',
      status: 200,
      headers: { 'content-type': type },
      body: chunks(),
    });
    const events = ['data: one\n\n', 'data: two\r\n\r\n', 'id: 3\rdata: three\r\r'];

    it('are notarised event by event', async () => {
      reply = () =>
        streamed(async function* () {
          for (const event of events) yield Buffer.from(event);
        });
      const got = await send('/v1/stream', []);
      expect(got).toMatchObject({ status: 200, body: events.join(''), whole: true });
      expect(await responseOf(got)).toMatchObject({
        form: 'sse',
        end: 'complete',
        items: 3,
        digest: digestOf(events.join('')),
      });
    });

    it.each([
      [
        'cut',
        async function* (): AsyncGenerator<Uint8Array> {
          yield Buffer.from(events[0] as string);
          throw new Error('the upstream broke off');
        },
      ],
      [
        'stalled',
        async function* (): AsyncGenerator<Uint8Array> {
          yield Buffer.from(events[0] as string);
          await new Promise(() => {});
        },
      ],
      [
        'too_long',
        async function* (): AsyncGenerator<Uint8Array> {
          for (;;) {
            yield Buffer.from(events[0] as string).subarray(0, 1);
            await world.pass(50);
          }
        },
      ],
      [
        'too_large',
        async function* (): AsyncGenerator<Uint8Array> {
          for (;;) yield Buffer.from((events[0] as string).repeat(10));
        },
      ],
    ])('that end badly break off: %s', async (end, chunks) => {
      reply = () => streamed(chunks);
      const got = await send('/v1/stream', []);
      expect(got).toMatchObject({ status: 200, whole: false });
      const response = (await responseOf(got)) as { end: string };
      expect(end === 'stalled' ? ['stalled', 'too_long'] : [end]).toContain(response.end);
    });

    it.each([
      ['{"amount":5,"account":"a"}', 200, 'complete', 'valid'],
      ['{"amount":"5","account":"a"}', 502, 'invalid', 'invalid'],
      ['<html>', 502, 'invalid', 'not_checked'],
    ])('are checked where the route asks for it: %s', async (text, status, end, verdict) => {
      reply = () =>
        streamed(async function* () {
          yield Buffer.from(text);
        }, 'application/json');
      const got = await send('/v1/checked', []);
      expect(got.status).toBe(status);
      if (status === 200) expect(got.body).toBe(text);
      else expect(JSON.parse(got.body)).toMatchObject({ code: 'CLY_RESPONSE_SCHEMA', receipt_id: expect.any(String) });
      expect(await responseOf(got)).toMatchObject({ form: 'json', end, schema: { id: 'refund', verdict } });
    });

    it('pass line by line up to the first that does not fit', async () => {
      reply = () =>
        streamed(async function* () {
          yield Buffer.from('{"id":1}\n');
          yield Buffer.from('{"id":2}\n{"id":"3"}\n');
          yield Buffer.from('{"id":4}\n');
        }, 'application/x-ndjson');
      const got = await send('/v1/listed', []);
      expect(got).toMatchObject({ body: '{"id":1}\n', whole: false });
      expect(await responseOf(got)).toMatchObject({
        form: 'ndjson',
        end: 'invalid',
        items: 3,
        schema: { verdict: 'invalid', errors: [{ pointer: '/2/id', rule: 'type' }] },
      });
    });
  });
});
