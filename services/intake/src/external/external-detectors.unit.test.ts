// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf } from '@clyra/core/canonical/digest';
import { EMPTY_POLICY, type Policy } from '@clyra/core/policy/policy';
import type { ExternalDetectorRule } from '@clyra/core/policy/policy-rules';
import { systemClock } from '@clyra/runtime/system-clock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FAILURES_MAX } from './breaker.ts';
import { ExternalDetectors, type Question } from './external-detectors.ts';
import { type HttpDetectors, openHttpDetectors } from './http-detector.ts';

type Behaviour = (response: ServerResponse, asked: { readonly body: string; readonly digest: string }) => void;

const json = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};
const verdict =
  (name: string, status = 200): Behaviour =>
  (response, { digest }) =>
    json(response, status, { verdict: name, request_digest: digest });

let behaviour: Behaviour = verdict('clear');
const bodies: string[] = [];
const server: Server = createServer((request: IncomingMessage, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    bodies.push(body);
    behaviour(response, { body, digest: digestOf(body) });
  });
});
let opened: HttpDetectors;
let port = 0;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  opened = await openHttpDetectors([
    { name: 'vendor', url: new URL(`http://127.0.0.1:${port}`) },
    { name: 'gone', url: new URL('http://127.0.0.1:1') },
  ]);
});
afterAll(async () => {
  await opened.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function policy(...endpoints: string[]): Policy {
  const rule = (endpoint: string, index: number): ExternalDetectorRule =>
    ({
      id: `d${index}`,
      routes: ['*'],
      endpoint,
      media: ['/voice', '/note'],
      deadline_ms: 200,
      verdicts: {},
      on_outage: {},
    }) as unknown as ExternalDetectorRule;
  return { ...EMPTY_POLICY, external_detectors: endpoints.map(rule) };
}

const question = (over: Partial<Question> = {}): Question => ({
  policy: policy('vendor'),
  routeId: 'refunds',
  payloadDigest: digestOf('payload'),
  value: { voice: digestOf('media'), note: 'the text itself', amount: '10.00' },
  deadlineMs: 400,
  ...over,
});

describe('a detector outside', () => {
  it.each<[what: string, behaviour: Behaviour, outcome: object]>([
    ['says that all is clear', verdict('clear'), { outcome: 'clear' }],
    ['says deepfake', verdict('likely_deepfake'), { outcome: 'likely_deepfake' }],
    ['says spoofed voice with an error status', verdict('spoofed_voice', 500), { outcome: 'spoofed_voice' }],
    ['says clear with an error status', verdict('clear', 401), { outcome: 'outage', outage: 'rejected' }],
    ['hangs', () => undefined, { outcome: 'outage', outage: 'timeout' }],
    [
      'sends its head and then hangs',
      (response) => void response.writeHead(200).write('{'),
      { outcome: 'outage', outage: 'timeout' },
    ],
    [
      'answers HTML',
      (response) => void response.end('<html>It works</html>'),
      { outcome: 'outage', outage: 'malformed' },
    ],
    ['answers nothing', (response) => void response.end(), { outcome: 'outage', outage: 'malformed' }],
    ['invents a verdict', verdict('block_everything'), { outcome: 'outage', outage: 'malformed' }],
    [
      'answers another question',
      (response) => json(response, 200, { verdict: 'clear', request_digest: digestOf('x') }),
      { outcome: 'outage', outage: 'malformed' },
    ],
    [
      'answers without end',
      (response) => void response.end('x'.repeat(100_000)),
      { outcome: 'outage', outage: 'malformed' },
    ],
    ['is too busy', (response) => json(response, 429, {}), { outcome: 'outage', outage: 'busy' }],
    ['has failed', (response) => json(response, 503, {}), { outcome: 'outage', outage: 'server_error' }],
    [
      'redirects',
      (response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
      { outcome: 'outage', outage: 'rejected' },
    ],
    [
      'closes the connection',
      (response) => void response.socket?.destroy(),
      { outcome: 'outage', outage: 'unreachable' },
    ],
  ])('that %s changes its own finding only', async (_, does, outcome) => {
    behaviour = does;
    const facts = await new ExternalDetectors(opened.clients, systemClock).ask(question());
    expect(facts).toHaveLength(1);
    expect(facts[0]).toMatchObject({ id: 'd0', ...outcome });
  });

  it('is sent digests, never a value', async () => {
    behaviour = verdict('clear');
    await new ExternalDetectors(opened.clients, systemClock).ask(question());
    const sent = JSON.parse(bodies.at(-1) as string) as { readonly media: readonly { readonly digest: string }[] };
    expect(sent.media.map((entry) => entry.digest)).toEqual([digestOf('media'), digestOf('"the text itself"')]);
    expect(bodies.at(-1)).not.toMatch(/text itself|10\.00/);
  });

  it('beside others leaves theirs alone', async () => {
    behaviour = verdict('high_risk_bec');
    const facts = await new ExternalDetectors(opened.clients, systemClock).ask(
      question({ policy: policy('gone', 'vendor', 'unknown') }),
    );
    expect(facts.map(({ id, outcome, outage }) => [id, outcome, outage])).toEqual([
      ['d0', 'outage', 'unreachable'],
      ['d1', 'high_risk_bec', undefined],
      ['d2', 'outage', 'not_configured'],
    ]);
  });

  it('that fails again and again is left alone for a while, and asked once before it is trusted again', async () => {
    behaviour = (response) => json(response, 500, {});
    let nowMs = 1_000;
    const clock = { ...systemClock, nowMs: () => nowMs };
    const desk = new ExternalDetectors(opened.clients, clock);
    const outageNow = async () => (await desk.ask(question()))[0]?.outage;
    for (let count = 0; count < FAILURES_MAX; count += 1) expect(await outageNow()).toBe('server_error');
    const before = bodies.length;
    expect(await outageNow()).toBe('breaker_open');
    expect(bodies).toHaveLength(before);
    behaviour = verdict('clear');
    nowMs += 10_001;
    expect(await Promise.all([outageNow(), outageNow()])).toEqual([undefined, 'breaker_open']);
    expect(await outageNow()).toBeUndefined();
  });
});
