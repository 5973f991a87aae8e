// SPDX-License-Identifier: Apache-2.0
import { FirewallScript } from '@clyra/testing/firewall-script';
import { SCRIPT_KEYS, SCRIPT_TRUST, START_MS } from '@clyra/testing/fold-script';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../canonical/digest.ts';
import type { JsonObject } from '../../canonical/json-value.ts';
import { encodeRecord, parseRecord } from '../../canonical/record.ts';
import type { CommandChange } from '../../change/change-body.ts';
import { checkBody } from '../../inspection/check-body.ts';
import { commandSigners } from '../command-signers.ts';

const MUTATIONS = 5_000;

/** The bytes with one of them changed to another value; position and value differ from turn to turn. */
function mutated(bytes: Uint8Array, turn: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = turn % bytes.length;
  copy[at] = ((bytes[at] ?? 0) + 1 + (Math.floor(turn / bytes.length) % 255)) % 256;
  return copy;
}

describe('one changed byte', () => {
  it(`of a certificate leaves no valid signature, ${MUTATIONS} times`, async () => {
    const script = await FirewallScript.under({ approvals: [{ id: 'a', routes: ['r'] }] });
    const held = await script.request();
    const members = script.certificate(held);
    const body = await script.script.commandBody('approval.granted', members, [SCRIPT_KEYS.human]);
    const bytes = encodeRecord(body['command'] as JsonObject);
    const signersOf = (command: JsonObject): number =>
      commandSigners(SCRIPT_TRUST.root, { ...body, command } as unknown as CommandChange, START_MS).length;
    expect(signersOf(parseRecord(bytes))).toBe(1);
    let accepted = 0;
    for (let turn = 0; turn < MUTATIONS; turn += 1) {
      const command = readOrNothing(mutated(bytes, turn));
      if (command !== undefined && signersOf(command) > 0) accepted += 1;
    }
    expect(accepted).toBe(0);
  });

  it(`of a payload is another payload, ${MUTATIONS} times`, () => {
    const bytes = Buffer.from('{"amount":"1250.00","currency":"EUR","note":"for order 17","payee":"P-1007"}', 'utf8');
    const hashOf = (payload: Uint8Array): string | null =>
      checkBody(
        { bytes: payload, digest: digestOf(payload), size: payload.length, tooLarge: false },
        { contentType: 'application/json', contentEncoding: null, claimedDigest: digestOf(payload) },
        true,
      ).canonicalDigest;
    const approved = hashOf(bytes);
    expect(approved).not.toBeNull();
    let accepted = 0;
    for (let turn = 0; turn < MUTATIONS; turn += 1) if (hashOf(mutated(bytes, turn)) === approved) accepted += 1;
    expect(accepted).toBe(0);
  });
});

function readOrNothing(bytes: Uint8Array): JsonObject | undefined {
  try {
    return parseRecord(bytes);
  } catch {
    return undefined;
  }
}
