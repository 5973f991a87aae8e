// SPDX-License-Identifier: Apache-2.0
import { HttpTarget } from './src/load/http-target.ts';
const t = new HttpTarget('http://127.0.0.1:39999', 256);
const body = JSON.stringify({ a: 'x'.repeat(1000) });
const first = performance.now(); let n = 0; let worst = 0;
const headers = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`x-header-${i}`, `value-${i}-${'y'.repeat(30)}`]));
while (performance.now() - first < 11000) {
  const due = first + n * 2; const now = performance.now();
  if (due > now) { await new Promise((r) => setTimeout(r, Math.floor(due - now))); continue; }
  n++; void t.send(t.prepare({ target: '/v1/x', headers: { 'content-type': 'application/json', ...headers }, body })).then(() => { worst = Math.max(worst, performance.now() - due); });
}
console.log('sent', n, 'worst', worst.toFixed(0)); process.exit(0);
