// SPDX-License-Identifier: Apache-2.0
import { codesOf, FoldScript, SCRIPT_KEYS, START_MS, type Step } from '@clyra/testing/fold-script';
import { makeTestKey, makeTestTrust, type TestKey } from '@clyra/testing/test-keys';
import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../canonical/json-value.ts';
import { readDelegation, withDelegations } from '../signing/delegation.ts';
import { keyFor } from '../signing/trust-root.ts';

const DAY_MS = 86_400_000;
const { kms, operator, intake } = SCRIPT_KEYS;
let processes = 0;
const processKey = (): TestKey => {
  processes += 1;
  return makeTestKey(`process-${processes}`, []);
};

const keyOf = (key: TestKey, change: JsonObject = {}): JsonObject => ({
  alg: 'ed25519',
  key_id: key.keyId,
  public_key: Buffer.from(key.publicKey).toString('base64'),
  roles: ['intake'],
  valid_from: START_MS,
  valid_to: START_MS + DAY_MS,
  ...change,
});
const script = (): Promise<FoldScript> => new FoldScript().opened();
const delegate = (of: FoldScript, key: JsonObject, by: readonly TestKey[] = [kms]): Promise<Step> =>
  of.command('key.delegated', { key }, by);
const tick = (of: FoldScript, by: TestKey): Promise<Step> => of.append(of.body('run.opened', run(of)), by);
let runs = 0;
const run = (of: FoldScript): JsonObject => {
  runs += 1;
  return { run_id: `run-${runs}-${of.nowMs}`, actor: 'sync-bot', principal: 'key-1' };
};

describe('a key that a KMS key lends its role', () => {
  it('signs for the tenant from the next record on', async () => {
    const log = await script();
    const key = processKey();
    expect(codesOf(await tick(log, key))).toEqual(['CLY_CHANGE_SIGNATURE']);
    expect((await delegate(log, keyOf(key))).receipt).toMatchObject({
      decision: 'allow',
      change_kind: 'key.delegated',
    });
    expect((await tick(log, key)).receipt['decision']).toBe('allow');
  });

  it('signs within its window only, and again after a renewal', async () => {
    const log = await script();
    const key = processKey();
    await delegate(log, keyOf(key));
    log.nowMs = START_MS + DAY_MS / 2;
    await delegate(log, keyOf(key, { valid_from: log.nowMs, valid_to: log.nowMs + DAY_MS }));
    log.nowMs = START_MS + DAY_MS + 1;
    expect((await tick(log, key)).receipt['decision']).toBe('allow');
    log.nowMs = START_MS + 1.5 * DAY_MS;
    expect((await tick(log, key)).receipt['decision']).toBe('allow');
    log.nowMs += 1;
    expect(codesOf(await tick(log, key))).toEqual(['CLY_CHANGE_SIGNATURE']);
  });

  it.each<[string, JsonObject, readonly TestKey[], string]>([
    ['a role that the KMS key does not have', { roles: ['recorder'] }, [kms], 'CLY_COMMAND_MALFORMED'],
    ['a role that nobody lends', { roles: ['operator'] }, [kms], 'CLY_COMMAND_MALFORMED'],
    ['no role', { roles: [] }, [kms], 'CLY_COMMAND_MALFORMED'],
    ['more than a week', { valid_to: START_MS + 8 * DAY_MS }, [kms], 'CLY_COMMAND_MALFORMED'],
    ['another algorithm', { alg: 'rsa' }, [kms], 'CLY_COMMAND_MALFORMED'],
    ['the name of another key', { key_id: intake.keyId }, [kms], 'CLY_COMMAND_MALFORMED'],
    ['a member too many', { note: 'x' }, [kms], 'CLY_COMMAND_MALFORMED'],
    ['a window that ends before it begins', { valid_to: START_MS - 1 }, [kms], 'CLY_COMMAND_MALFORMED'],
    ['the signature of an operator', {}, [operator], 'CLY_COMMAND_ROLE'],
    ['a signature by itself', {}, [processKey()], 'CLY_COMMAND_SIGNATURE'],
  ])('is refused with %s', async (_, change, by, code) => {
    expect(codesOf(await delegate(await script(), keyOf(processKey(), change), by))).toEqual([code]);
  });

  it('is refused when the trust root names the key already: a delegation never overrules it', async () => {
    expect(codesOf(await delegate(await script(), keyOf(operator)))).toEqual(['CLY_COMMAND_MALFORMED']);
  });

  it('leaves room for others: what is over is forgotten, and 64 are open at most', async () => {
    const log = await script();
    for (let count = 0; count < 64; count += 1) {
      const step = await delegate(log, keyOf(processKey()));
      expect([count, step.receipt['decision'], codesOf(step)]).toEqual([count, 'allow', []]);
    }
    expect(codesOf(await delegate(log, keyOf(processKey())))).toEqual(['CLY_STATE_FULL']);
    log.nowMs = START_MS + DAY_MS + 1;
    const later = keyOf(processKey(), { valid_from: log.nowMs, valid_to: log.nowMs + 1_000 });
    expect((await delegate(log, later)).receipt['decision']).toBe('allow');
    expect(log.fold.tenant('acme')?.table.count('delegation')).toBe(1);
  });

  it('is worth nothing from the moment at which the KMS key was revoked', async () => {
    const trust = makeTestTrust([kms]);
    const key = processKey();
    const body = await new FoldScript().commandBody('key.delegated', { key: keyOf(key) }, [kms]);
    const signed = body as unknown as Parameters<typeof readDelegation>[1];
    const delegation = readDelegation(trust.root, signed, START_MS);
    const revoked = { ...trust.root.keys.get(kms.keyId)!, revokedAtMs: START_MS + 10 };
    const root = { ...trust.root, keys: new Map([[kms.keyId, revoked]]) };
    const lent = withDelegations(root, [delegation!]);
    const use = { keyId: key.keyId, role: 'intake' } as const;
    expect(keyFor(lent, { ...use, atMs: START_MS + 9 })?.subject).toBe('kms-1');
    expect(keyFor(lent, { ...use, atMs: START_MS + 10 })).toBeUndefined();
    expect(readDelegation(root, signed, START_MS + 10)).toBeUndefined();
  });
});
