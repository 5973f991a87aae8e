// SPDX-License-Identifier: Apache-2.0

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text without a byte order mark and without commas before a closing bracket; undefined where there is neither.
 * Nothing is added: a body that was cut off stays cut off, since nobody knows what was to come.
 */
export function mendSyntax(bytes: Uint8Array): Uint8Array | undefined {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return undefined;
  }
  const mended = withoutTrailingCommas(text.startsWith('\ufeff') ? text.slice(1) : text);
  return mended.length === text.length ? undefined : Buffer.from(mended, 'utf8');
}

function withoutTrailingCommas(text: string): string {
  const kept: string[] = [];
  let from = 0;
  let comma = -1;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text[at] as string;
    if (unit === '"') {
      comma = -1;
      at += 1;
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    } else if (unit === ',') {
      // Two commas are no slip of the pen: a value may be missing between them.
      comma = comma === -1 ? at : -2;
    } else if ((unit === ']' || unit === '}') && comma >= 0 && !isEmptyBefore(text, comma)) {
      kept.push(text.slice(from, comma));
      from = comma + 1;
      comma = -1;
    } else if (!' \n\r\t'.includes(unit)) comma = -1;
  }
  return kept.length === 0 ? text : kept.join('') + text.slice(from);
}

/** `[,]`: there is no value that the comma could follow. */
function isEmptyBefore(text: string, comma: number): boolean {
  const before = text.slice(0, comma).trimEnd().at(-1);
  return before === undefined || '[{,:'.includes(before);
}
