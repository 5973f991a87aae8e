// SPDX-License-Identifier: Apache-2.0
import type { BodyKeys } from '@clyra/adapter-blob/body-keys';
import type { BodyVault } from '@clyra/adapter-blob/body-vault';
import { mediaType } from '@clyra/core/inspection/check-body';
import { ClyraError } from '@clyra/core/kernel/error';
import type { ChangeAttempt, Exchange } from '../gateway/change-attempt.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import { DocumentSender, type SenderParts } from './document-sender.ts';

export type KeptParts = SenderParts & {
  readonly directory: TenantDirectory;
  readonly intake: { readonly instance: string };
  readonly vault?: BodyVault;
  readonly keys?: BodyKeys;
};

const SWEEP_MS = 600_000;

/** What `body_storage` wants of allowed changes: kept before they are forwarded, ended on their day, and both on the log. */
export class KeptBodies {
  readonly #parts: KeptParts;
  readonly #documents: DocumentSender;
  /** Who says so, in observations. */
  readonly #source: string;
  #cancelSweep: (() => void) | undefined;
  #isStopped = false;

  constructor(parts: KeptParts) {
    this.#parts = parts;
    this.#documents = new DocumentSender(parts);
    this.#source = `intake:${parts.intake.instance}`;
  }

  start(): void {
    void this.#sweep();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelSweep?.();
  }

  close(deadlineMs: number): Promise<void> {
    return this.#documents.close(deadlineMs);
  }

  /** undefined when nothing is to be kept, or it is; otherwise the code of why the change must not go on. */
  async keep({ body, request, streamed }: Exchange, attempt: ChangeAttempt): Promise<string | undefined> {
    const { tenant, change } = attempt;
    const { keep, retention_seconds: retention, bytes_max: bytesMax } = tenant.policy.policy.body_storage;
    if (keep !== 'allowed' || body.size === 0) return undefined;
    if (body.size > bytesMax) return 'CLY_BODY_STORE_SIZE';
    const { vault, clock, logger } = this.#parts;
    if (vault === undefined) return 'CLY_BODY_STORE_UNAVAILABLE';
    try {
      const untilMs = clock.nowMs() + retention * 1_000;
      const kept = { tenant: tenant.tenant, digest: body.digest };
      await vault.keep(kept, untilMs, streamed === undefined ? body.bytes : streamed.spooled.read());
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      logger.error('a body could not be kept', { code: error.code, detail: error.message });
      return 'CLY_BODY_STORE_UNAVAILABLE';
    }
    const type = mediaType(request.headers.one('content-type') ?? null);
    this.#documents.send(
      {
        tenant: tenant.tenant,
        source_id: this.#source,
        document: 'payload',
        sha256: body.digest,
        size: body.size,
        media_type: /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}$/.test(type) ? type : 'application/octet-stream',
        event_id: change.eventId,
      },
      change.partition,
    );
    return undefined;
  }

  /** Bodies whose day has come can be read by nobody from here on; a key that stays is tried again. */
  async #sweep(): Promise<void> {
    const { keys, clock, logger } = this.#parts;
    if (keys === undefined || this.#isStopped) return;
    try {
      for (const { tenant, day, keyDigest } of await keys.eraseUntil(clock.nowMs())) {
        logger.info('the key of stored bodies was destroyed', { tenant, day });
        this.#recordErased(tenant, keyDigest);
      }
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      logger.error('keys of stored bodies were not destroyed', { code: error.code, detail: error.message });
    }
    if (!this.#isStopped) this.#cancelSweep = clock.after(SWEEP_MS, () => void this.#sweep());
  }

  #recordErased(tenant: string, keyDigest: string): void {
    const { directory, logger } = this.#parts;
    const state = directory.get(tenant);
    if (state === undefined) {
      logger.error('the end of a key is in no log: its tenant is not open here', { tenant });
      return;
    }
    const document = { document: 'payload_key_destroyed', sha256: keyDigest, size: 32 };
    const common = { tenant, source_id: this.#source, media_type: 'application/octet-stream' };
    this.#documents.send({ ...common, ...document }, state.partition);
  }
}
