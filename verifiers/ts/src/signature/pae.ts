// SPDX-License-Identifier: Apache-2.0

/** DSSE's pre-authentication encoding: what is signed for a payload of a named type. */
export function encodePae(type: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** The same of texts that are ASCII both, as what is signed for a send is. */
export function encodeAsciiPae(type: string, payload: string): Buffer {
  return Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} ${payload}`, 'latin1');
}
