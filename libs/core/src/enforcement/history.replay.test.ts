// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { FoldScript, POLICY_BYTES, SCRIPT_KEYS, SCRIPT_TRUST } from '@clyra/testing/fold-script';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { loadPolicy } from '../policy/load-policy.ts';
import type { Envelopes } from '../ports/envelope-codec.ts';
import { parseTrustRoot } from '../signing/parse-trust-root.ts';
import { PartitionFold } from './partition-fold.ts';
import { readChange } from './read-change.ts';

/**
 * A recorded history must give the same receipts for ever. It holds public keys and signatures only. Engine 1 is not
 * released yet: until then UPDATE_VECTORS=1 records it anew, and the diff of the receipts is what a reviewer reads.
 */
const FILE = new URL('../../../../schemas/vectors/histories/engine-1-unreleased.json', import.meta.url);

type History = {
  readonly about: string;
  readonly policy: string;
  readonly trust_root: string;
  readonly records: readonly {
    readonly append_time: number;
    readonly body: string;
    readonly signature: string;
    readonly tenant: string;
    readonly kind: string;
    readonly event_id: string;
    readonly receipt: string;
  }[];
};

async function record(): Promise<History> {
  const script = await new FoldScript().opened();
  const times: number[] = [script.nowMs, script.nowMs];
  const step = async (act: () => Promise<unknown>): Promise<void> => {
    times.push(script.nowMs);
    await act();
    script.nowMs += 1_000;
  };
  const key = { idempotency: { key_digest: digestOf('k'), fingerprint: digestOf('f') } };
  const refund = {
    route: 'refunds.create',
    schema: { id: null, verdict: 'not_required', errors: [] },
    velocity: [{ rule: 'refunds', key_digest: digestOf('a') }],
  } as const;
  const run = { run_id: 'run-1', actor: 'sync-bot', principal: 'key-1' };
  let held = '';
  await step(() => script.append(script.body('run.opened', run)));
  await step(async () => {
    held = (await script.request(key, { run_id: 'run-1' })).receipt['event_id'] as string;
  });
  await step(() => script.request(key, { run_id: 'run-1' }));
  await step(() => script.outcome(held, 'done'));
  await step(() => script.request(key, { run_id: 'run-1' }));
  for (let count = 0; count < 4; count += 1) await step(() => script.request(refund));
  await step(() => script.request({ content: 'CLY_JSON_UTF8' }));
  await step(() =>
    script.request({ route: 'audiences.push', schema: { id: null, verdict: 'not_required', errors: [] } }),
  );
  await step(() => script.command('kill_switch.engaged', { scope: 'tenant', reason: 'drill' }, [SCRIPT_KEYS.operator]));
  await step(() => script.request());
  await step(() =>
    script.append({ ...script.body('clock.ticked', { number: 1 }), intake: { instance: 'intake-1', epoch: 2 } }),
  );
  await step(() => script.append({ ...script.body('run.closed', run), intake: { instance: 'intake-1', epoch: 2 } }));
  await step(() =>
    script.append({ ...script.body('window.closed', { number: 1 }), intake: { instance: 'intake-1', epoch: 2 } }),
  );
  return {
    about: 'Engine 1 (unreleased). Envelopes of clyra.changes in offset order and the receipt body each one gives.',
    policy: Buffer.from(POLICY_BYTES).toString('utf8'),
    trust_root: Buffer.from(SCRIPT_TRUST.bytes).toString('utf8'),
    records: script.envelopes.map((envelope, index) => ({
      append_time: times[index] ?? 0,
      body: Buffer.from(envelope.body).toString('utf8'),
      signature: Buffer.from(envelope.signature).toString('utf8'),
      tenant: envelope.tenant,
      kind: envelope.kind,
      event_id: envelope.event_id,
      receipt: Buffer.from(script.steps[index]?.folded.bytes ?? []).toString('utf8'),
    })),
  };
}

if (process.env['UPDATE_VECTORS'] === '1') writeFileSync(FILE, `${JSON.stringify(await record(), undefined, 1)}\n`);
const history = JSON.parse(readFileSync(FILE, 'utf8')) as History;

function fold(): string[] {
  const policyBytes = Buffer.from(history.policy, 'utf8');
  const digest = digestOf(policyBytes);
  const { policy } = loadPolicy(policyBytes, digest);
  const root = parseTrustRoot(Buffer.from(history.trust_root, 'utf8'));
  const partition = new PartitionFold(0, {
    policy: (asked) => (asked === digest ? policy : undefined),
    trustRoot: (asked) => (asked === root.digest ? root : undefined),
  });
  return history.records.map((one, offset) => {
    const envelope: Envelopes['ChangeEnvelope'] = {
      ...one,
      body: Buffer.from(one.body),
      signature: Buffer.from(one.signature),
    };
    const raw = { raw: Buffer.from(one.body, 'utf8') };
    const folded = partition.fold({ offset, appendTimeMs: one.append_time, read: readChange(envelope), ...raw });
    return Buffer.from(folded?.bytes ?? []).toString('utf8');
  });
}

describe('the recorded history of engine 1', () => {
  it('gives the recorded receipts, byte for byte', () => {
    expect(fold()).toEqual(history.records.map((one) => one.receipt));
  });

  it('has every decision and both kinds of body', () => {
    const bodies = history.records.map((one) => JSON.parse(one.receipt) as { kind: string; decision?: string });
    expect(new Set(bodies.map((body) => body.decision ?? body.kind))).toEqual(
      new Set(['allow', 'block', 'hold', 'recorded']),
    );
  });
});
