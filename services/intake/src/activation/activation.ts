// SPDX-License-Identifier: Apache-2.0
import type { DeliverySource } from '@clyra/core/inspection/activation/delivery-source';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import { type ActivationSettings, readActivationFile } from './activation-file.ts';

const REFRESH_MS = 1_000;
const HOOK = /^\/hooks\/([a-z0-9][a-z0-9-]{0,62})(\/.*)$/s;

/** A target that belongs to a source, and what is left of it for the route table. */
export type Hook = { readonly source: DeliverySource; readonly target: string };

export type ActivationParts = { readonly path: string; readonly clock: Clock; readonly logger: Logger };

/** The activation file, read again (at most once a second) when a proof fails or a name is not known: keys are exchanged without a restart. */
export class Activation {
  readonly #parts: ActivationParts | undefined;
  #settings: ActivationSettings;
  #readAtMs: number;

  constructor(settings: ActivationSettings, parts?: ActivationParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#readAtMs = parts?.clock.nowMs() ?? 0;
  }

  /** Rejects with CLY_ACTIVATION_INVALID. */
  static async open(parts: ActivationParts): Promise<Activation> {
    return new Activation(await readActivationFile(parts.path), parts);
  }

  /** undefined where the target is none of a source's. */
  hookOf(target: string): Hook | undefined {
    const [, name = '', rest = ''] = HOOK.exec(target) ?? [];
    const source = this.#settings.sources.get(name);
    return source === undefined ? undefined : { source, target: rest };
  }

  /** The partner whose call records come to this target. */
  partnerOf(target: string): DeliverySource | undefined {
    const [, name = '', rest] = HOOK.exec(target) ?? [];
    return rest === '/calls' ? this.#settings.partners.get(name) : undefined;
  }

  /** What the gateway holds for an upstream; the caller's own headers of these names stay behind. */
  headersFor(upstream: string): Readonly<Record<string, string>> {
    return this.#settings.destinations.get(upstream) ?? {};
  }

  /** True where the file was read again. One that has become unreadable changes nothing. */
  async refresh(): Promise<boolean> {
    if (this.#parts === undefined) return false;
    const { path, clock, logger } = this.#parts;
    const nowMs = clock.nowMs();
    if (nowMs - this.#readAtMs < REFRESH_MS) return false;
    this.#readAtMs = nowMs;
    try {
      this.#settings = await readActivationFile(path);
      return true;
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      logger.error('the activation file was not read again', { code: error.code, detail: error.message });
      return false;
    }
  }
}
