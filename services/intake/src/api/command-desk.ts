// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { CommandChange } from '@clyra/core/change/change-body';
import { parseChange } from '@clyra/core/change/parse-change';
import { commandSigners } from '@clyra/core/enforcement/command-signers';
import { ClyraError } from '@clyra/core/kernel/error';
import { loadPolicy } from '@clyra/core/policy/load-policy';
import { BatchVerifier } from '@clyra/core/signing/batch-verifier';
import { RECEIPT_TYPE } from '@clyra/core/signing/pae';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';
import type { OutgoingChange } from '../log/change-writer.ts';
import { directoryWhen } from '../tenants/directory-when.ts';
import { POLICY_FOLDER, TRUST_ROOT_FOLDER } from '../tenants/document-shelf.ts';
import { blockedAnswer, errorAnswer, receiptAnswer } from './api-answer.ts';
import type { ApiParts } from './api-parts.ts';
import { awaitDecision } from './await-decision.ts';
import { type CommandDocument, type CommandRequest, parseCommandRequest } from './command-request.ts';

const APPLIED_DEADLINE_MS = 2_000;

/**
 * Takes signed commands. The enforcer judges them; here is only checked what would otherwise fill a tenant's log with
 * strangers' records or name documents that nobody has.
 */
export class CommandDesk {
  readonly #parts: ApiParts;
  readonly #verifier = new BatchVerifier(RECEIPT_TYPE, 'enforcer');

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  async submit(body: Uint8Array): Promise<GatewayAnswer> {
    try {
      return await this.#submit(parseCommandRequest(body));
    } catch (error) {
      const answer = errorAnswer(error);
      if (answer.status < 500) this.#parts.edge.count((error as ClyraError).code);
      return answer;
    }
  }

  async #submit(request: CommandRequest): Promise<GatewayAnswer> {
    const root = await this.#trustRootOf(request);
    const change = this.#write(request);
    const parsed = parseChange(change.body) as CommandChange;
    if (commandSigners(root, parsed, this.#parts.clock.nowMs()).length === 0) {
      throw refused('CLY_COMMAND_SIGNATURE', 'no signature is by a key that the trust root knows for a person');
    }
    for (const document of request.documents) await this.#store(document);
    await this.#checkNamed(request.command);
    const receipt = await awaitDecision(this.#parts, change, (read) => {
      const { digest, block, appendTimeMs } = read;
      return block !== undefined && this.#verifier.verify(root, { digest, block, atMs: appendTimeMs });
    });
    if (receipt.decision !== 'allow') return blockedAnswer(receipt);
    const applied = await this.#applied(request);
    return receiptAnswer(200, receipt, { applied });
  }

  /** The root in force; for a tenant that is not open yet, the one that the command names. */
  async #trustRootOf({ kind, tenant, command, documents }: CommandRequest): Promise<TrustRoot> {
    const open = this.#parts.directory.get(tenant);
    if (open !== undefined) return open.trustRoot;
    const digest = command['trust_root'];
    if (kind !== 'tenant.opened' || typeof digest !== 'string') {
      throw refused('CLY_TENANT_UNKNOWN', 'open the tenant first');
    }
    this.#parts.directory.requirePinned(digest);
    const sent = documents.find(({ name, content }) => name === 'trust_root' && digestOf(content) === digest);
    return sent === undefined ? this.#parts.documents.trustRoot(digest) : parseTrustRoot(sent.content);
  }

  #write({ kind, tenant, command, signatures }: CommandRequest): OutgoingChange {
    const partition = this.#parts.directory.get(tenant)?.partition ?? command['partition'];
    if (!Number.isSafeInteger(partition) || !this.#parts.directory.hasPartition(partition as number)) {
      throw refused('CLY_COMMAND_MALFORMED', 'the command names no partition of clyra.changes');
    }
    const members: JsonObject = { command, signatures };
    return this.#parts.writer.write({ partition: partition as number, tenant, kind, members });
  }

  /** A document is stored before the record that names it, so whoever reads the record finds it. */
  async #store({ name, content, digest: called }: CommandDocument): Promise<void> {
    const digest = digestOf(content);
    if (called !== undefined && called !== digest) {
      throw refused('CLY_DOCUMENT_DIGEST', `the document called ${called} is ${digest}`);
    }
    if (name === 'policy') loadPolicy(content, digest);
    else parseTrustRoot(content);
    await this.#parts.blobs.put(`${name === 'policy' ? POLICY_FOLDER : TRUST_ROOT_FOLDER}/${digest}`, content);
  }

  async #checkNamed(command: JsonObject): Promise<void> {
    const { policy, trust_root: trustRoot } = command;
    if (typeof trustRoot === 'string') await this.#parts.documents.trustRoot(trustRoot);
    if (typeof policy === 'string') await this.#parts.documents.policy(policy);
  }

  /** Waits until this intake itself acts on the command, so that the next request already meets it. */
  #applied({ kind, tenant, command }: CommandRequest): Promise<boolean> {
    const { directory, clock } = this.#parts;
    const engaged = (): boolean =>
      directory.get(tenant)?.switches.some(({ scope }) => scope === command['scope']) === true;
    return directoryWhen({ directory, clock, deadlineMs: APPLIED_DEADLINE_MS }, () => {
      if (kind === 'policy.activated') return directory.get(tenant)?.policy.digest === command['policy'];
      if (kind === 'kill_switch.engaged') return engaged();
      if (kind === 'kill_switch.lifted') return !engaged();
      return directory.get(tenant) !== undefined;
    });
  }
}

function refused(code: `CLY_${string}`, message: string): ClyraError {
  return new ClyraError(code, message, { retry: 'never' });
}
