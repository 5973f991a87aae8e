import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { signRequest } from '@clyra/core/inspection/request-signature';
import { Pool } from 'undici';

const cred = JSON.parse(readFileSync('/tmp/intake-dev/credentials.json', 'utf8')).credentials[0];
const secret = Buffer.from(cred.secret, 'base64');
let hits = 0;
const up = createServer((q, s) => {
  hits++;
  q.resume();
  q.on('end', () => {
    s.statusCode = 201;
    s.end('{"ok":true}');
  });
});
await new Promise<void>((r) => up.listen(33190, '127.0.0.1', () => r()));
const pool = new Pool('http://127.0.0.1:33115', { connections: 128 });
const direct = new Pool('http://127.0.0.1:33190', { connections: 128 });
let n = 0;
const tag = Date.now().toString(36);
const statuses = new Map<number, number>();
async function one(p: Pool) {
  n++;
  const body = JSON.stringify({ account: `a-${n}`, amount: 5 });
  const target = `/v1/refunds/r-${n}`;
  const headers = signRequest({
    keyId: cred.key_id,
    secret,
    method: 'POST',
    target,
    tenant: 'acme',
    actor: 'bot',
    nowMs: Date.now(),
    nonce: `${tag}-${String(n).padStart(16, '0')}`,
    idempotencyKey: `${tag}-${n}`,
    body,
  });
  const t = performance.now();
  const r = await p.request({
    method: 'POST',
    path: target,
    headers: { ...headers, 'content-type': 'application/json' },
    body,
  });
  const text = await r.body.text();
  statuses.set(r.statusCode, (statuses.get(r.statusCode) ?? 0) + 1);
  if (r.statusCode !== 201 && (statuses.get(r.statusCode) ?? 0) < 3) console.log(text);
  return performance.now() - t;
}
async function open(p: Pool, rate: number, seconds: number, name: string) {
  const times: number[] = [];
  const all: Promise<void>[] = [];
  const t0 = performance.now();
  let sent = 0;
  while (performance.now() - t0 < seconds * 1000) {
    const due = Math.floor(((performance.now() - t0) / 1000) * rate);
    while (sent < due) {
      sent++;
      all.push(
        one(p).then(
          (t) => void times.push(t),
          (e) => console.log(String(e)),
        ),
      );
    }
    await new Promise((r) => setTimeout(r, 2));
  }
  await Promise.all(all);
  times.sort((a, b) => a - b);
  const q = (x: number) => times[Math.min(times.length - 1, Math.floor(times.length * x))]?.toFixed(1);
  console.log(
    name,
    `rate=${rate} n=${times.length} p50=${q(0.5)} p95=${q(0.95)} p99=${q(0.99)} max=${q(1)}`,
    Object.fromEntries(statuses),
  );
}
await open(pool, 50, 3, 'warm');
await open(direct, 500, 3, 'direct');
await open(pool, 200, 10, 'gateway');
await open(pool, 300, 10, 'gateway');
console.log('upstream hits', hits);
await new Promise((r) => setTimeout(r, 1500));
process.exit(0);
