// SPDX-License-Identifier: Apache-2.0
import type { RequestHeaders } from './request-headers.ts';

/** RFC 9110 §7.6.1, and framing, which is made anew on each side. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'host',
  'expect',
]);

/** Ours to set: nobody else's value may pass for it. */
function isOurs(name: string): boolean {
  return name.startsWith('clyra-') || name.startsWith('x-clyra-');
}

export function requestHeadersToForward(headers: RequestHeaders, added: Readonly<Record<string, string>>): string[] {
  const forwarded: string[] = [];
  for (let index = 0; index < headers.raw.length; index += 2) {
    const name = (headers.raw[index] as string).toLowerCase();
    if (!HOP_BY_HOP.has(name) && !isOurs(name) && !Object.hasOwn(added, name))
      forwarded.push(name, headers.raw[index + 1] as string);
  }
  for (const [name, value] of Object.entries(added)) forwarded.push(name, value);
  return forwarded;
}

export function answerHeadersToForward(
  headers: Readonly<Record<string, string | readonly string[]>>,
): Record<string, string | readonly string[]> {
  const forwarded: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower) && !isOurs(lower)) forwarded[lower] = value;
  }
  return forwarded;
}
