// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import { readChange } from '@clyra/core/enforcement/read-change';
import { blockToJson, type SignatureBlock, signBatch } from '@clyra/core/signing/batch-signature';
import { CHANGE_TYPE } from '@clyra/core/signing/pae';
import { FirewallScript } from '@clyra/testing/firewall-script';
import { SCRIPT_KEYS, TENANT } from '@clyra/testing/fold-script';
import { SeededRandom } from '@clyra/testing/seeded-random';

const SEND_SIZE = 64;
const DECISION = /"(?:decision|effect)":"([a-z_]+)"/;
const ROUTES = ['r', 'q'];
/** Every section whose primitive remembers something. */
const RULES = {
  idempotency: [{ routes: ['r'], ttl_seconds: 30 * 86_400 }],
  rate_limits: [
    { id: 'money', routes: '*', window_seconds: 3_600, amount: '/a', max_amount: '1000000', max_actions: 100_000 },
  ],
  kill_switch: [
    {
      id: 'k',
      routes: ['q'],
      metric: 'error_rate',
      threshold: 0.9,
      window_seconds: 60,
      min_count: 50,
      ttl_seconds: 30,
    },
  ],
  loop_breaker: [{ id: 'l', routes: '*', identical_repeats: 6, cool_off_seconds: 20 }],
  cost_caps: [{ id: 'c', routes: '*', per_action: '0.01', max: '100000', window_seconds: 3_600 }],
  approvals: [{ id: 'a', routes: ['r'], amount: '/a', only_above: '90' }],
};

/** One tenant whose callers want its state to grow: nothing they send is ever the same, and most of it is never ended. */
export class HostileTenant {
  readonly #tenant: FirewallScript;
  readonly #random: SeededRandom;
  readonly #model: JsonObject;
  /** Events that may still get an outcome; the rest stays open until it is given up. */
  #open: string[] = [];
  readonly decisions = new Map<string, number>();
  changes = 0;
  #offset: number;

  private constructor(tenant: FirewallScript, seed: number) {
    this.#tenant = tenant;
    this.#random = new SeededRandom(seed);
    this.#offset = tenant.script.steps.length;
    this.#model = tenant.script.facts({ schema: { id: null, verdict: 'not_required', errors: [] } });
  }

  static async open(seed: number): Promise<HostileTenant> {
    return new HostileTenant(await FirewallScript.under(RULES), seed);
  }

  /** Keys by namespace. */
  sizes(): ReadonlyMap<string, number> {
    const table = this.#tenant.script.fold.tenant(TENANT)?.table;
    return new Map((table?.namespaces() ?? []).map((name) => [name, table?.count(name) ?? 0]));
  }

  wait(ms: number): void {
    this.#tenant.script.nowMs += ms;
  }

  /** Folds some hundred changes that came in one send. */
  async send(): Promise<void> {
    const bodies = Array.from({ length: SEND_SIZE }, () => this.#body());
    const encoded = bodies.map((body) => encodeRecord(body));
    const blocks = await signBatch(
      SCRIPT_KEYS.intake,
      CHANGE_TYPE,
      encoded.map((bytes) => digestOf(bytes)),
    );
    for (const [index, body] of bodies.entries()) {
      const decision = this.#fold(body, encoded[index] as Uint8Array, blocks[index] as SignatureBlock);
      this.decisions.set(decision, (this.decisions.get(decision) ?? 0) + 1);
      if (decision === 'allow') this.#open.push(body['event_id'] as string);
    }
    this.changes += SEND_SIZE;
    this.#open = this.#open.slice(-SEND_SIZE);
  }

  /** What became of one change: its decision, or its effect. A script would keep each of the ten million. */
  #fold(body: JsonObject, bytes: Uint8Array, block: SignatureBlock): string {
    const { script } = this.#tenant;
    const read = readChange({
      body: bytes,
      signature: encodeRecord(blockToJson(block)),
      tenant: TENANT,
      kind: body['kind'] as string,
      event_id: body['event_id'] as string,
    });
    const folded = script.fold.fold({ offset: this.#offset, appendTimeMs: script.nowMs, read, raw: bytes });
    this.#offset += 1;
    const text = Buffer.from(folded?.bytes ?? []).toString('latin1');
    return DECISION.exec(text)?.[1] ?? 'none';
  }

  #body(): JsonObject {
    const { script } = this.#tenant;
    const random = this.#random;
    const intake = { instance: `intake-${random.chance(0.01) ? random.nextInt(0, 5_000) : 1}`, epoch: 1 };
    const of = this.#open.length > 0 && random.chance(0.2) ? random.pick(this.#open) : undefined;
    if (of !== undefined) {
      return {
        ...script.body('change.outcome', { of, outcome: random.pick(['done', 'failed', 'not_forwarded']) }),
        intake,
      };
    }
    if (random.chance(0.02)) {
      const run = { run_id: `run-${random.nextUint32()}`, actor: 'bot', principal: 'key-1' };
      return { ...script.body('run.opened', run), intake };
    }
    return { ...script.body('change.requested', { facts: this.#facts() }), intake };
  }

  #facts(): JsonObject {
    const random = this.#random;
    const one = random.chance(0.1) ? digestFrom(random.nextInt(0, 20)) : this.#digest();
    const unique = this.#digest();
    const value = (random.nextInt(0, 10_000) / 100).toFixed(2);
    return {
      ...this.#model,
      route: random.pick(ROUTES),
      nonce_digest: this.#digest(),
      payload_digest: one,
      canonical_digest: one,
      execution_token_hash: this.#digest(),
      actors: [
        { from: 'credential', value: '*' },
        { from: 'header', value: `bot-${random.chance(0.5) ? unique.slice(0, 16) : random.nextInt(0, 50)}` },
      ],
      idempotency: { key_digest: unique, fingerprint: one },
      velocity: [{ rule: 'money', key_digest: unique }],
      amounts: [
        { rule: 'rate_limits/money', value, currency: null },
        { rule: 'approvals/a', value, currency: null },
      ],
    };
  }

  #digest(): string {
    return digestFrom(this.#random.nextUint32(), this.#random.nextUint32());
  }
}

/** 64 hex digits that differ when the numbers do: hashing ten million times would be most of the work. */
function digestFrom(high: number, low = 0): string {
  const text = high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
  return text.repeat(4);
}
