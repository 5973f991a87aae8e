// SPDX-License-Identifier: Apache-2.0
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

/** How a delivery leaves: over HTTP, or into a gateway in the same process. */
export type Transport = (path: string, body: string, headers: Readonly<Record<string, string>>) => Promise<number>;

export type PartnerOptions = {
  /** Its name in intake's activation file. */
  readonly name: string;
  readonly secret: Uint8Array;
  readonly nowMs: () => number;
  readonly transport: Transport;
};

export type Caller = {
  readonly number: string;
  readonly attest?: 'A' | 'B' | 'C';
  readonly verstat?: string;
  /** Another number than the one that the network asserts. */
  readonly claims?: string;
};

const ATTEMPTS_MAX = 5;

/**
 * Stands in for a telephony partner: an SBC that writes down the INVITE of each call with its STIR/SHAKEN headers
 * (RFC 8224, RFC 8588, `verstat` of 3GPP TS 24.229), an IVR that plays a disclaimer, and a webhook sender (Standard
 * Webhooks) that sends a delivery again until it is taken, under the same id and signed anew.
 */
export class TelephonyPartner {
  readonly #options: PartnerOptions;
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #lines: object[] = [];
  #serial = 0;
  /** Of the deliveries that were made, again and again until one was taken. */
  readonly statuses: number[] = [];

  constructor(options: PartnerOptions) {
    this.#options = options;
  }

  /** A call comes in: the headers of its INVITE, as the verification service left them. */
  invite(session: string, caller: Caller): void {
    this.#write(session, 'call.started', { sip: this.sipHeaders(caller) });
  }

  say(session: string, event: string, members: object = {}): void {
    this.#write(session, event, members);
  }

  /** What an IVR does before it lets a voice agent act. */
  disclaim(session: string): void {
    this.#write(session, 'disclaimer.played');
    this.#write(session, 'disclaimer.acknowledged');
    this.#write(session, 'barge_in.available', { barge_in_window_ms: 3_000 });
  }

  /** A line as it stands, for what no honest partner writes. */
  raw(record: object): void {
    this.#lines.push(record);
  }

  sipHeaders({
    number,
    attest = 'A',
    verstat = 'TN-Validation-Passed',
    claims = number,
  }: Caller): Record<string, string> {
    return {
      'p-asserted-identity': `"Caller" <sip:+${number};verstat=${verstat}@pbx.example;user=phone>`,
      'p-attestation-indicator': attest,
      identity: this.#passport(attest, claims),
    };
  }

  /** Sends all lines since the last delivery; resolves to the status that ended it. */
  async deliver(): Promise<number> {
    const body = this.#lines
      .splice(0)
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('');
    this.#serial += 1;
    const id = `msg_${this.#options.name}_${this.#serial}`;
    for (let attempt = 1; ; attempt += 1) {
      const status = await this.#send(id, body);
      this.statuses.push(status);
      if (attempt === ATTEMPTS_MAX || (status !== 429 && status < 500)) return status;
    }
  }

  #send(id: string, body: string): Promise<number> {
    const { name, secret, nowMs, transport } = this.#options;
    const timestamp = String(Math.floor(nowMs() / 1_000));
    const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
    return transport(`/hooks/${name}/calls`, body, {
      'content-type': 'application/x-ndjson',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${mac}`,
    });
  }

  #write(session: string, event: string, members: object = {}): void {
    this.#serial += 1;
    const id = `${this.#options.name}-${this.#serial}`;
    this.#lines.push({ id, call_id: `${session}@pbx.example`, session, event, at: this.#options.nowMs(), ...members });
  }

  /** RFC 8225, of type `shaken`. Its certificate belongs to nobody: the SBC says in `verstat` what it found. */
  #passport(attest: string, number: string): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const head = part({ alg: 'ES256', ppt: 'shaken', typ: 'passport', x5u: 'https://certs.example/sp.pem' });
    const iat = Math.floor(this.#options.nowMs() / 1_000);
    const claims = part({ attest, dest: { tn: ['12155551213'] }, iat, orig: { tn: number }, origid: 'b5a1' });
    const key = { key: this.#keys.privateKey, dsaEncoding: 'ieee-p1363' as const };
    const mac = sign('sha256', Buffer.from(`${head}.${claims}`), key).toString('base64url');
    return `${head}.${claims}.${mac};info=<https://certs.example/sp.pem>;alg=ES256;ppt=shaken`;
  }
}
