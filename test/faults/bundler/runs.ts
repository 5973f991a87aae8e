// SPDX-License-Identifier: Apache-2.0
import { signer } from '@clyra/cli/intake/caller';
import { IntakeClient } from '@clyra/cli/intake/intake-client';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { systemClock } from '@clyra/runtime/system-clock';
import { systemRandom } from '@clyra/runtime/system-random';
import type { FaultWorld } from '../world/fault-world.ts';

/** Opens and closes runs as an actor of the world's tenant would: each close is a cut, and seals a bundle. */
export class Runs {
  readonly #client: IntakeClient;

  constructor({ parts: { settings, credential } }: FaultWorld, actor: string) {
    const headers = signer(credential, actor, { clock: systemClock, random: systemRandom });
    this.#client = new IntakeClient(settings.intake_url, { headers });
  }

  open(runId: string, more: JsonObject = {}): Promise<JsonObject> {
    return allowed(this.#client.openRun({ run_id: runId, ...more }));
  }

  close(runId: string): Promise<JsonObject> {
    return allowed(this.#client.closeRun(runId));
  }
}

async function allowed(asked: ReturnType<IntakeClient['openRun']>): Promise<JsonObject> {
  const { status, body } = await asked;
  if (status >= 300) throw new Error(`intake answered ${status}: ${JSON.stringify(body)}`);
  return body;
}
