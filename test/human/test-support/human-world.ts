// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { silentLogger } from '@clyra/core/ports/logger';
import { HeldShelf } from '@clyra/intake/human/held-shelf';
import { parseIdentity } from '@clyra/intake/human/identity-file';
import { holdingOptions, openDoor } from '@clyra/intake/human/start-human-door';
import type { IntakeProcessor } from '@clyra/intake/intake.processor';
import { IntakeWorld, KEYS, problemOf, SECRET, type Sent } from '@clyra/intake/test-support/intake-world';
import { systemRandom } from '@clyra/runtime/system-random';
import { freePort } from '@clyra/testing/free-ports';
import { type OidcPerson, startOidcServer } from '../../standins/oidc/oidc-server.ts';
import { Visitor } from './visitor.ts';

export const PEOPLE: readonly OidcPerson[] = [
  { subject: 'ada', name: 'Ada Lovelace', password: 'ada-pass', code: '111', methods: ['pwd', 'hwk', 'mfa'] },
  { subject: 'bea', name: 'Bea Arthur', password: 'bea-pass', code: '222', methods: ['pwd', 'otp', 'mfa'] },
  { subject: 'cleo', name: 'Cleo Bot-Owner', password: 'cleo-pass', code: '333', methods: ['pwd', 'hwk', 'mfa'] },
  {
    subject: 'ada-2',
    name: 'Ada Lovelace (old account)',
    password: 'ada-pass',
    code: '444',
    methods: ['pwd', 'otp', 'mfa'],
  },
];

const POLICY = `
name: audiences
routes:
  - { id: audiences.push, method: POST, path: "/v1/audiences/{name}", upstream: crm }
  - { id: notes.put, method: PUT, path: /v1/notes, upstream: crm }
approvals:
  - { id: push, routes: [audiences.push], quorum: 2, mfa: true, grade_min: 2, idp_domains: [localhost] }
  - { id: notes, routes: [notes.put] }
people:
  - { subject: ada, aliases: ["localhost|ada", "localhost|ada-2"] }
  - { subject: cleo, aliases: ["localhost|cleo", bot] }
body_storage: { keep: while_held }
`;

/** Intake with its human door open, over sockets, and two identity providers that are real OpenID Connect servers. */
export class HumanWorld {
  readonly world = new IntakeWorld({ realTime: true });
  intake!: IntakeProcessor;
  url = '';
  folder = '';
  readonly #endings: (() => Promise<unknown>)[] = [];

  static async start(): Promise<HumanWorld> {
    const made = new HumanWorld();
    const port = await freePort();
    made.url = `http://127.0.0.1:${port}`;
    const identity = parseIdentity(Buffer.from(JSON.stringify(await made.#startProviders())));
    made.folder = await mkdtemp(join(tmpdir(), 'clyra-held-'));
    const ports = { clock: made.world.clock, logger: silentLogger, random: systemRandom };
    const shelf = await HeldShelf.open({ folder: made.folder, secret: SECRET, ...ports });
    const options = holdingOptions(shelf, identity, ports);
    made.intake = await made.world.open(options);
    await made.activate(POLICY);
    const prepared = { identity, signer: KEYS.door, shelf, secret: SECRET, options };
    const door = await openDoor(prepared, made.intake, { host: '127.0.0.1', port, ...ports });
    made.#endings.push(
      () => door.close(500),
      () => made.intake.stop(500),
      async () => shelf.close(),
      () => rm(made.folder, { recursive: true }),
    );
    return made;
  }

  async activate(policy: string): Promise<void> {
    const compiled = this.world.addPolicy(policy);
    const replaces = this.intake.directory.get('acme')?.policy.digest ?? null;
    const order = { signers: [KEYS.author, KEYS.approver], policy: compiled.digest, replaces };
    const answer = await this.world.command(this.intake, 'policy.activated', order);
    if (answer.status !== 200) throw new Error(String(answer.body));
  }

  /** Sends a request that is held; the answer says where it can be approved. */
  async hold(sent: Sent = {}): Promise<{ sent: Sent; problem: JsonObject; status: number }> {
    const request = { target: '/v1/audiences/risky', body: '{"size":40000,"name":"high-risk"}', ...sent };
    const answer = await this.intake.gateway.handle(this.world.request(request));
    return { sent: request, problem: answer.status < 300 ? {} : problemOf(answer), status: answer.status };
  }

  /** A person who signed in and sees the page at `path`; with `code` a second factor. */
  async visitor(person: string, options: { code?: boolean; provider?: string; path?: string } = {}): Promise<Visitor> {
    const who = PEOPLE.find(({ subject }) => subject === person) as OidcPerson;
    const visitor = new Visitor(this.url, who, options.code ?? true);
    await visitor.signIn(options.path ?? '/', options.provider ?? 'corp');
    return visitor;
  }

  commands(): JsonObject[] {
    return this.world.changesOf('approval.granted');
  }

  async close(): Promise<void> {
    for (const end of this.#endings.reverse()) await end();
  }

  async #startProviders(): Promise<object> {
    const redirectUris = [`${this.url}/callback`];
    const client = { clientId: 'clyra-door', clientSecret: 'between-us', redirectUris, people: PEOPLE };
    const corp = await startOidcServer({ ...client, host: 'localhost', port: 0, title: 'Corporate sign-in' });
    const other = await startOidcServer({ ...client, host: '127.0.0.1', port: 0, title: 'Some other sign-in' });
    this.#endings.push(
      () => corp.close(),
      () => other.close(),
    );
    const shared = { client_id: client.clientId, client_secret: client.clientSecret };
    return {
      public_url: this.url,
      providers: [
        { name: 'corp', title: 'Corporate sign-in', issuer: corp.issuer, tenants: ['acme'], ...shared },
        { name: 'other', title: 'Some other sign-in', issuer: other.issuer, tenants: ['*'], ...shared },
        { name: 'elsewhere', domain: 'elsewhere.example', issuer: other.issuer, tenants: ['globex'], ...shared },
        {
          name: 'strict',
          domain: 'strict.example',
          issuer: other.issuer,
          tenants: ['*'],
          require: { claim: 'groups', value: 'approvers' },
          ...shared,
        },
      ],
    };
  }
}
