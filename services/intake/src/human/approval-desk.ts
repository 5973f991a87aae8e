// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import type { CommandKind, NamedDocument } from '@clyra/core/change/change-body';
import { approvalRequestBytes, challengeOf } from '@clyra/core/enforcement/approvals/approval-request';
import { payloadHash } from '@clyra/core/enforcement/approvals/pending-approval';
import { APPROVAL_MS_MAX } from '@clyra/core/enforcement/limits';
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Clock } from '@clyra/core/ports/clock';
import type { IdentityProvider, SignedIn } from '@clyra/core/ports/identity-provider';
import type { Random } from '@clyra/core/ports/random';
import type { Signer } from '@clyra/core/ports/signer';
import { COMMAND_TYPE, pae } from '@clyra/core/signing/pae';
import { awaitDecision } from '../api/await-decision.ts';
import type { ChangePublisher } from '../log/change-publisher.ts';
import type { ChangeWriter } from '../log/change-writer.ts';
import type { ReceiptDesk } from '../log/receipt-desk.ts';
import type { TenantDirectory, TenantState } from '../tenants/tenant-directory.ts';
import type { ChangeView } from './change-view.ts';
import type { ProviderSettings } from './identity-file.ts';
import { methodsOf, personOf } from './person.ts';
import { BEGUN_MS_MAX, type BegunApproval, type Session } from './sessions.ts';

export type Provider = { readonly settings: ProviderSettings; readonly identity: IdentityProvider };

export type ApprovalDeskParts = {
  readonly directory: TenantDirectory;
  readonly desk: ReceiptDesk;
  readonly publisher: ChangePublisher;
  readonly writer: ChangeWriter;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly random: Random;
  /** The human door's own key, of role approver. */
  readonly signer: Signer;
  readonly redirectUri: string;
  readonly commandHoldMs: number;
};

/** Turns a person's sign-in into a signed approval on the log: whether it counts is for the enforcer to say. */
export class ApprovalDesk {
  readonly #parts: ApprovalDeskParts;

  constructor(parts: ApprovalDeskParts) {
    this.#parts = parts;
  }

  /** What the person is about to approve, and where they go to prove who they are. */
  async begin(
    view: ChangeView,
    provider: Provider,
    display: Digest,
  ): Promise<{ approval: BegunApproval; url: string }> {
    const { clock, random, redirectUri } = this.#parts;
    const { held, facts } = view;
    const approvalId = hex(random, 16);
    const requestBytes = approvalRequestBytes({
      tenant: held.tenant,
      approval_id: approvalId,
      of: held.of,
      route: held.route,
      method: facts.method,
      target_digest: facts.target_digest,
      payload_hash: payloadHash(facts),
      requester: held.actor,
      idp_domain: provider.settings.domain,
      display_digest: display,
      issued_at: clock.nowMs(),
      salt: hex(random, 16),
    });
    const { acrValues } = provider.settings;
    const wish = {
      state: hex(random, 32),
      nonce: challengeOf(requestBytes),
      redirectUri,
      maxAgeSeconds: 0,
      ...(acrValues === undefined ? {} : { acrValues }),
    };
    const { url, codeVerifier } = await provider.identity.begin(wish);
    const untilMs = clock.nowMs() + BEGUN_MS_MAX;
    return {
      approval: { tenant: held.tenant, of: held.of, approvalId, requestBytes, wish, codeVerifier, untilMs },
      url,
    };
  }

  /**
   * The person is back: the token must answer this very request, and be of the person who saw the page. Resolves with the
   * receipt, which may well refuse.
   */
  async finish(
    session: Session,
    begun: BegunApproval,
    came: { provider: Provider; callbackUrl: string },
  ): Promise<DecidedBody> {
    const { settings, identity } = came.provider;
    const signedIn = await identity.finish(came.callbackUrl, begun.wish, begun.codeVerifier);
    const person = personOf(signedIn, settings);
    if (person.subject !== session.person.subject || person.provider !== session.person.provider) {
      throw refused('CLY_HUMAN_OTHER_PERSON', 'somebody else signed in than the one who looked at the change');
    }
    const documents = await this.#keepProof(begun, signedIn);
    const digestFor = (name: string): string => documents.find(({ document }) => document === name)?.sha256 ?? '';
    const request = JSON.parse(Buffer.from(begun.requestBytes).toString('utf8')) as JsonObject;
    const { amr, mfa } = methodsOf(signedIn, settings);
    const { approval_id, of, route, method, target_digest, payload_hash, requester, display_digest } = request;
    const members = { approval_id, of, route, method, target_digest, payload_hash, requester, display_digest };
    return this.#command('approval.granted', begun.tenant, {
      members: {
        ...(members as JsonObject),
        challenge_nonce: begun.wish.nonce,
        proof: 'oidc',
        approver_sso_sub: person.subject,
        idp_domain: settings.domain,
        amr,
        mfa,
        auth_time: authTimeOf(signedIn),
        id_token_digest: digestFor('id_token'),
        jwks_digest: digestFor('jwks'),
      },
      documents,
    });
  }

  /** Takes back what the person approved and nobody used yet. */
  async revoke(session: Session, held: { tenant: string; of: string }, approvalId: string): Promise<DecidedBody> {
    const { domain, subject } = session.person;
    const members = {
      approval_id: approvalId,
      of: held.of,
      reason: `taken back by ${domain}|${subject}`.slice(0, 256),
    };
    return this.#command('approval.revoked', held.tenant, { members, documents: [] });
  }

  /** Stored before the record that names them: request, token and keys together prove the approval without us. */
  async #keepProof(begun: BegunApproval, { idToken, jwks }: SignedIn): Promise<NamedDocument[]> {
    const contents: [string, Uint8Array][] = [
      ['approval', begun.requestBytes],
      ['id_token', Buffer.from(idToken)],
      ['jwks', Buffer.from(jwks)],
    ];
    const documents: NamedDocument[] = [];
    for (const [document, content] of contents) {
      const sha256 = digestOf(content);
      await this.#parts.blobs.put(`documents/${sha256}`, content);
      documents.push({ document, sha256, size: content.length });
    }
    return documents;
  }

  async #command(
    kind: CommandKind,
    tenant: string,
    { members, documents }: { members: JsonObject; documents: readonly NamedDocument[] },
  ): Promise<DecidedBody> {
    const state = this.#parts.directory.get(tenant);
    if (state === undefined) throw refused('CLY_TENANT_UNKNOWN', 'this tenant is not open here');
    const { clock, signer, writer, directory } = this.#parts;
    const nowMs = clock.nowMs();
    const command = {
      kind,
      tenant,
      issued_at: nowMs,
      expires_at: nowMs + APPROVAL_MS_MAX,
      subject: subjectOf(state, signer),
      replaces: null,
      ...members,
    };
    const sig = Buffer.from(await signer.sign(pae(COMMAND_TYPE, encodeRecord(command)))).toString('base64');
    const change = writer.write({
      partition: state.partition,
      tenant,
      kind,
      members: {
        command,
        signatures: [{ key_id: signer.keyId, sig }],
        ...(documents.length === 0 ? {} : { documents: documents as unknown as JsonObject[] }),
      },
    });
    return awaitDecision(this.#parts, change, (receipt) => directory.isSigned(state, receipt));
  }
}

function subjectOf({ trustRoot, tenant }: TenantState, { keyId }: Signer): string {
  const subject = trustRoot.keys.get(keyId)?.subject;
  if (subject !== undefined) return subject;
  throw refused(
    'CLY_HUMAN_KEY',
    `the trust root of ${tenant} has no key ${keyId}: add the human door's key as approver`,
  );
}

function authTimeOf({ authTimeMs }: SignedIn): number {
  if (authTimeMs !== null) return authTimeMs;
  throw refused('CLY_OIDC_TOKEN', 'the token of the identity provider does not say when you signed in');
}

function hex(random: Random, bytes: number): string {
  return Buffer.from(random.bytes(bytes)).toString('hex');
}

function refused(code: `CLY_${string}`, message: string): ClyraError {
  return new ClyraError(code, message, { retry: 'never' });
}
