// SPDX-License-Identifier: Apache-2.0
import type { DetectorLayer } from '../change/detector-fact.ts';

export type LayerText = { readonly layer: DetectorLayer; readonly text: string };

/** One leaf is decoded to at most this many characters in all, and what was decoded is not decoded again. */
const DECODED_CHARS_MAX = 16_384;
const BASE64_RUNS_MAX = 8;
const BASE64_CHARS_MIN = 24;
const BASE64 = new RegExp(`[A-Za-z0-9+/_-]{${BASE64_CHARS_MIN},8192}={0,2}`, 'g');
const IN_BASE64 = Uint8Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9+/_-]/.test(String.fromCharCode(code)) ? 1 : 0,
);
const PERCENT = /%[0-9A-Fa-f]{2}/g;
const PERCENT_MIN = 3;
const READABLE = /^[\t\n\r\x20-\x7e\u00a0-\u024f\u0370-\u04ff\u2010-\u2027\u20ac]*$/;
const TAGS = /[\u{e0020}-\u{e007e}]/gu;

/** What the text may hold beside what it shows; the text itself is not in the answer. */
export function decodeLayers(text: string, isAscii: boolean): readonly LayerText[] {
  const layers: LayerText[] = [];
  const hidden = isAscii ? '' : hiddenText(text);
  if (hidden.length > 3) layers.push({ layer: 'hidden', text: hidden });
  if (text.includes('%') && (text.match(PERCENT)?.length ?? 0) >= PERCENT_MIN) {
    const decoded = percentDecoded(text.slice(0, DECODED_CHARS_MAX));
    if (decoded !== undefined) layers.push({ layer: 'percent', text: decoded });
  }
  if (!hasLongRun(text)) return layers;
  let room = DECODED_CHARS_MAX;
  let runs = 0;
  for (const [run] of text.matchAll(BASE64)) {
    runs += 1;
    if (runs > BASE64_RUNS_MAX || room <= 0) break;
    const decoded = base64Decoded(run);
    if (decoded === undefined) continue;
    layers.push({ layer: 'base64', text: decoded.slice(0, room) });
    room -= decoded.length;
  }
  return layers;
}

/** Looks at every 24th character, and back from one that could be base64: texts of words cost a few steps. */
function hasLongRun(text: string): boolean {
  let start = 0;
  while (start + BASE64_CHARS_MIN <= text.length) {
    let at = start + BASE64_CHARS_MIN - 1;
    while (at >= start && IN_BASE64[text.charCodeAt(at)] === 1) at -= 1;
    if (at < start) return true;
    start = at + 1;
  }
  return false;
}

/** Tag characters are ASCII once more, without a shape. */
function hiddenText(text: string): string {
  const letters = [...text.matchAll(TAGS)].slice(0, DECODED_CHARS_MAX);
  return letters.map(([tag]) => String.fromCodePoint((tag.codePointAt(0) ?? 0) - 0xe0000)).join('');
}

function percentDecoded(text: string): string | undefined {
  const plain = text.replace(/\+/g, ' ').replace(/%(?![0-9A-Fa-f]{2})/g, '%25');
  try {
    return decodeURIComponent(plain);
  } catch {
    // Not UTF-8: each byte is read alone.
    return plain.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

/** undefined for what is no text: digests, keys and pictures are base64 as well. */
function base64Decoded(run: string): string | undefined {
  if (/^[0-9a-f]+$/i.test(run) || !/[a-z]/.test(run) || !/[A-Z]/.test(run)) return undefined;
  const text = Buffer.from(run, 'base64').toString('utf8');
  return READABLE.test(text) && text.length >= 12 ? text : undefined;
}
