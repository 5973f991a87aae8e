// SPDX-License-Identifier: Apache-2.0
import { startGatewayListener } from '../../services/intake/src/http/gateway-listener.ts';
import { systemClock } from '@clyra/runtime/system-clock';
import { HttpUpstream } from '../../services/intake/src/upstream/http-upstream.ts';
const mode = process.argv[2];
const up = mode === 'fwd' ? await HttpUpstream.open([{ name: 'u', url: new URL('http://127.0.0.1:39998') } as never]) : undefined;
const l = await startGatewayListener({ host: '127.0.0.1', port: 39999, clock: systemClock, onRefused: () => {}, handle: async (r) => {
  const body = mode === 'nobody' ? { size: 0 } : await r.readBody(65536);
  const junk = Array.from({ length: 400 }, (_, i) => ({ i, s: `x${i}` }));
  await new Promise((res) => setTimeout(res, mode === 'stall' && performance.now() < 5000 ? 700 : 12));
  if (up) { const a = await up.forward('u', { method: 'POST', target: '/x', headers: ['content-type', 'application/json', 'host', 'x'], body: (body as { bytes: Uint8Array }).bytes } as never); if (a.kind !== 'answered') console.log(a); }
  return { status: 200, headers: { 'content-type': 'application/json', 'x-a': 'b', n: String(junk.length) }, body: `{"ok":${body.size}}` };
} });
process.send?.('ready'); console.log(l.url);
let n = 0; setInterval(() => { const m = process.memoryUsage(); console.log(mode, n++, 'heap', (m.heapUsed / 1e6).toFixed(1), 'ab', (m.arrayBuffers / 1e6).toFixed(1)); }, 1000).unref();
setTimeout(() => process.exit(0), 14000);
