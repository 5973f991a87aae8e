// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { ClyraError } from '@clyra/core/kernel/error';
import { Activation } from '@clyra/intake/activation/activation';
import { parseActivation } from '@clyra/intake/activation/activation-file';
import type { GatewayAnswer } from '@clyra/intake/gateway/gateway-request';
import type { IntakeProcessor } from '@clyra/intake/intake.processor';
import { post } from '@clyra/intake/test-support/deliveries';
import { IntakeWorld, problemOf } from '@clyra/intake/test-support/intake-world';
import { CallLog, type CallStore } from '@clyra/intake/voice/call-log';
import { describe, expect, it } from '@jest/globals';
import { TelephonyPartner } from './telephony-partner.ts';

const SECRET = Buffer.from('made for tests of partners');
const whsec = `whsec_${SECRET.toString('base64')}`;
const ACTIVATION = {
  partners: [
    { name: 'pbx', tenant: 'acme', secrets: [whsec] },
    { name: 'ucaas', tenant: 'acme', secrets: [whsec] },
  ],
};
const POLICY = `
name: calls
routes:
  - { id: limits.raise, method: POST, path: /limits, upstream: crm }
voice:
  - { id: spoken, routes: [limits.raise], asserted_by: partner, attestation_min: B, signal_seconds_max: 60, barge_in_window_ms_min: 2000, effect: block }
`;
const ALICE = { number: '12155551212' };

/** An intake that a partner reports to, and requests that claim everything good of themselves. */
class Calls {
  readonly world = new IntakeWorld({ policyText: POLICY });
  #intake: IntakeProcessor | undefined;

  async open(store: CallStore = { append: async () => {}, read: async function* () {} }): Promise<this> {
    const activation = new Activation(parseActivation(Buffer.from(JSON.stringify(ACTIVATION))));
    const calls = await CallLog.open(store, this.world.clock);
    this.#intake = await this.world.open({ activation, calls });
    return this;
  }

  partner(name = 'pbx', secret: Uint8Array = SECRET): TelephonyPartner {
    const transport = async (
      target: string,
      body: string,
      headers: Readonly<Record<string, string>>,
    ): Promise<number> => (await this.handle(post({ target, body, headers }))).status;
    return new TelephonyPartner({ name, secret, nowMs: () => this.world.clock.nowMs(), transport });
  }

  handle(request: ReturnType<typeof post>): Promise<GatewayAnswer> {
    return this.world.during((this.#intake as IntakeProcessor).gateway.handle(request));
  }

  /** What a change of this session is answered, and its codes. */
  async act(session: string, said: object = {}): Promise<string> {
    const told = {
      disclaimer_played: true,
      disclaimer_acknowledged: true,
      barge_in_available: true,
      barge_in_window_ms: 9_000,
    };
    const body = JSON.stringify({ voice_session_id: session, ...told, ...said });
    const answer = await this.handle(this.world.request({ target: '/limits', body }));
    if (answer.problem === undefined) return String(answer.status);
    const reasons = problemOf(answer)['reasons'] as { code: string }[];
    return [answer.status, ...reasons.map(({ code }) => code.replace('CLY_VOICE_', ''))].join(' ');
  }

  get receipt(): JsonObject {
    const last = this.world.enforcer.decided.at(-1)?.bytes ?? new Uint8Array();
    return JSON.parse(Buffer.from(last).toString()) as JsonObject;
  }
}

describe('an action out of a call', () => {
  it('is allowed on the word of the partner’s log, whose digest its receipt names', async () => {
    const calls = await new Calls().open();
    const pbx = calls.partner();
    pbx.invite('s-1', ALICE);
    pbx.disclaim('s-1');
    expect(await pbx.deliver()).toBe(200);
    expect(await calls.act('s-1')).toBe('201');
    expect(calls.receipt['voice_compliance_check']).toMatchObject([
      {
        session: 's-1',
        asserted_by: 'partner',
        disclaimer_acknowledged: true,
        barge_in_window_ms: 3_000,
        compliant: true,
        signal: { principal: 'hooks/pbx', attestation: 'A', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    ]);
  });

  it.each<[string, string, (pbx: TelephonyPartner) => void]>([
    ['nobody reported it', '403 UNATTESTED DISCLAIMER BARGE_IN ATTESTATION', () => {}],
    [
      'the disclaimer was not acknowledged',
      '403 DISCLAIMER BARGE_IN',
      (pbx) => {
        pbx.invite('s-1', ALICE);
        pbx.say('s-1', 'disclaimer.played');
      },
    ],
    [
      'nobody could interrupt any more',
      '403 BARGE_IN',
      (pbx) => {
        pbx.invite('s-1', ALICE);
        pbx.disclaim('s-1');
        pbx.say('s-1', 'barge_in.unavailable');
      },
    ],
    [
      'the call is over',
      '403 ENDED',
      (pbx) => {
        pbx.invite('s-1', ALICE);
        pbx.disclaim('s-1');
        pbx.say('s-1', 'call.ended');
      },
    ],
    [
      'the network vouches for too little',
      '403 ATTESTATION',
      (pbx) => {
        pbx.invite('s-1', { ...ALICE, attest: 'C' });
        pbx.disclaim('s-1');
      },
    ],
    [
      'the calling number is spoofed',
      '403 ATTESTATION',
      (pbx) => {
        pbx.invite('s-1', { ...ALICE, verstat: 'TN-Validation-Failed' });
        pbx.disclaim('s-1');
      },
    ],
    [
      'the signed number is another',
      '403 CONTRADICTED',
      (pbx) => {
        pbx.invite('s-1', { ...ALICE, claims: '19995550000' });
        pbx.disclaim('s-1');
      },
    ],
  ])('is blocked where %s', async (_what, expected, told) => {
    const calls = await new Calls().open();
    const pbx = calls.partner();
    told(pbx);
    pbx.say('other', 'call.heartbeat');
    expect(await pbx.deliver()).toBe(200);
    expect(await calls.act('s-1')).toBe(expected);
    expect(calls.world.forwarded).toEqual([]);
  });

  it('is blocked when the log falls silent, and goes on when it speaks again', async () => {
    const calls = await new Calls().open();
    const pbx = calls.partner();
    pbx.invite('s-1', ALICE);
    pbx.disclaim('s-1');
    await pbx.deliver();
    await calls.world.pass(61_000);
    expect(await calls.act('s-1')).toBe('403 STALE');
    pbx.say('s-1', 'call.heartbeat');
    await pbx.deliver();
    expect(await calls.act('s-1')).toBe('201');
  });

  it('is blocked where caller and partner, or two partners, tell two stories', async () => {
    const calls = await new Calls().open();
    const pbx = calls.partner();
    for (const session of ['s-1', 's-2']) {
      pbx.invite(session, ALICE);
      pbx.disclaim(session);
    }
    await pbx.deliver();
    expect(await calls.act('s-1', { disclaimer_acknowledged: false })).toBe('403 CONTRADICTED');
    expect(await calls.act('s-1')).toBe('201');
    const ucaas = calls.partner('ucaas');
    ucaas.say('s-2', 'call.heartbeat');
    await ucaas.deliver();
    expect(await calls.act('s-2')).toBe('403 CONTRADICTED');
  });
});

describe('a delivery of call records', () => {
  it.each<[string, (calls: Calls) => Promise<number>, Record<string, number>]>([
    [
      'of another key',
      (calls) => calls.partner('pbx', Buffer.from('not the partner’s secret')).deliver(),
      { CLY_ACTIVATION_SIGNATURE: 1 },
    ],
    ['of nobody', (calls) => calls.partner('unknown').deliver(), { CLY_AUTH_MISSING: 1 }],
  ])('is refused at the edge when it is %s', async (_what, send, counts) => {
    const calls = await new Calls().open();
    expect(await send(calls)).toBe(401);
    await calls.world.pass(1_100);
    expect(calls.world.edgeCounts()).toEqual(counts);
  });

  it('counts whole or not at all', async () => {
    const calls = await new Calls().open();
    const pbx = calls.partner();
    pbx.invite('s-1', ALICE);
    pbx.disclaim('s-1');
    pbx.raw({ id: 'x', call_id: 'c', session: 's-1', event: 'call.hacked', at: 1 });
    expect(await pbx.deliver()).toBe(422);
    expect(await calls.act('s-1')).toBe('403 UNATTESTED DISCLAIMER BARGE_IN ATTESTATION');
  });

  it('is asked for again while it cannot be stored', async () => {
    const message = 'there is no room';
    const store = {
      append: () => Promise.reject(new ClyraError('CLY_VOICE_LOG_UNAVAILABLE', message, { retry: 'backoff' })),
      read: async function* () {},
    };
    const calls = await new Calls().open(store);
    const pbx = calls.partner();
    pbx.invite('s-1', ALICE);
    expect(await pbx.deliver()).toBe(503);
    expect(pbx.statuses).toEqual([503, 503, 503, 503, 503]);
    expect(await calls.act('s-1')).toBe('403 UNATTESTED DISCLAIMER BARGE_IN ATTESTATION');
  });
});
