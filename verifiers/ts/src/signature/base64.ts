// SPDX-License-Identifier: Apache-2.0

/** Decodes standard base64 with padding; null for any text that is not exactly what encoding the result gives. */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}
