// SPDX-License-Identifier: Apache-2.0
import crypto, { type KeyObject } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const REMEMBERED_MAX = 100_000;

/**
 * Makes the platform's Ed25519 answer from memory what it was asked before. Most signatures of mutated bundles are those of
 * the bundle they came from, and without this nine tenths of the time would go into judging them again.
 */
export function rememberSignatures(): void {
  const { verify, createPublicKey } = crypto;
  const keys = new Map<string, KeyObject>();
  const names = new WeakMap<object, string>();
  const verdicts = new Map<string, boolean>();
  crypto.createPublicKey = ((given: Parameters<typeof createPublicKey>[0]) => {
    const x = (given as { key?: { x?: string } }).key?.x;
    const key = (x === undefined ? undefined : keys.get(x)) ?? createPublicKey(given);
    if (x !== undefined && keys.size < REMEMBERED_MAX) {
      keys.set(x, key);
      names.set(key, x);
    }
    return key;
  }) as typeof createPublicKey;
  crypto.verify = ((...asked: [null, Buffer, KeyObject, Buffer]) => {
    const [algorithm, data, key, signature] = asked;
    const known = names.get(key);
    if (algorithm !== null || known === undefined) {
      return verify(algorithm, data, key, signature);
    }
    const name = `${known} ${signature.toString('latin1')} ${data.toString('latin1')}`;
    const verdict = verdicts.get(name) ?? verify(algorithm, data, key, signature);
    if (verdicts.size > REMEMBERED_MAX) {
      verdicts.clear();
    }
    verdicts.set(name, verdict);
    return verdict;
  }) as typeof verify;
  syncBuiltinESMExports();
}
