// SPDX-License-Identifier: Apache-2.0
/** DSSE 1.0.2 pre-authentication encoding: what every Clyra signature is made over. */
export function pae(type: string, payload: Uint8Array): Uint8Array {
  const typeSize = Buffer.byteLength(type);
  return Buffer.concat([Buffer.from(`DSSEv1 ${typeSize} ${type} ${payload.length} `, 'utf8'), payload]);
}

export const CHANGE_TYPE = 'application/vnd.clyra.change.v0+json';
export const RECEIPT_TYPE = 'application/vnd.clyra.receipt.v0+json';
export const OBSERVATION_TYPE = 'application/vnd.clyra.observation.v0+json';
export const COMMAND_TYPE = 'application/vnd.clyra.command.v0+json';
export const ATTESTATION_TYPE = 'application/vnd.in-toto+json';
