// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { openIdentityProvider } from '@clyra/adapter-oidc/open-identity-provider';
import { openSigner } from '@clyra/adapter-signing/open-signer';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { Random } from '@clyra/core/ports/random';
import type { Signer } from '@clyra/core/ports/signer';
import type { StopPart } from '@clyra/runtime/service-shell';
import type { IntakeConfig } from '../config.ts';
import { type GatewayListener, startGatewayListener } from '../http/gateway-listener.ts';
import type { IntakeOptions, IntakeProcessor } from '../intake.processor.ts';
import { ApprovalDesk, type Provider } from './approval-desk.ts';
import { HeldRequests } from './held-requests.ts';
import { HeldShelf } from './held-shelf.ts';
import { HumanDoor } from './human-door.ts';
import { type IdentitySettings, readIdentityFile } from './identity-file.ts';
import { keyFor } from './sealed-box.ts';
import { Sessions } from './sessions.ts';

export type DoorPorts = { readonly clock: Clock; readonly logger: Logger; readonly random: Random };

/** What the door needs before the processor is there: where held requests are kept, and who signs. */
export type PreparedDoor = {
  readonly identity: IdentitySettings;
  readonly signer: Signer;
  readonly shelf: HeldShelf;
  readonly secret: Uint8Array;
  /** For the processor: what is held is kept, and forgotten when it waits no more. */
  readonly options: Pick<IntakeOptions, 'heldRequests' | 'onHeldGone'>;
};

const PROVIDER_MS = 5_000;
const CONNECTIONS_MAX = 1_000;

/** undefined where no identity file is set: then the door stays shut. Rejects with CLY_HUMAN_KEY_FILE without a key. */
export async function prepareDoor(
  config: IntakeConfig,
  ports: DoorPorts,
  onStop: (part: StopPart) => void,
): Promise<PreparedDoor | undefined> {
  if (config.identityFile === undefined) return undefined;
  if (config.approverKeyFile === undefined) {
    const message = 'CLYRA_IDENTITY_FILE opens the human door, which signs approvals: set CLYRA_APPROVER_KEY_FILE too';
    throw new ClyraError('CLY_HUMAN_KEY_FILE', message, { retry: 'never' });
  }
  const identity = await readIdentityFile(config.identityFile);
  const signer = await openSigner(config.approverKeyFile);
  const secret = Buffer.from(config.fingerprintSecret, 'base64');
  const shelf = await HeldShelf.open({ folder: config.heldDir ?? join(config.dataDir, 'held'), secret, ...ports });
  onStop(async () => shelf.close());
  return { identity, signer, shelf, secret, options: holdingOptions(shelf, identity, ports) };
}

export function holdingOptions(
  shelf: HeldShelf,
  identity: IdentitySettings,
  ports: DoorPorts,
): PreparedDoor['options'] {
  const { clock, logger } = ports;
  return {
    heldRequests: new HeldRequests({ clock, logger, shelf, publicUrl: identity.publicUrl }),
    onHeldGone: ({ tenant, of }) => {
      shelf.drop(tenant, of).catch((error: unknown) => logger.error('a held request stays', { error: String(error) }));
    },
  };
}

export function makeHumanDoor(prepared: PreparedDoor, processor: IntakeProcessor, ports: DoorPorts): HumanDoor {
  const { identity, signer, shelf, secret } = prepared;
  const { clock, random } = ports;
  const providers = identity.providers.map((settings): [string, Provider] => {
    const opened = openIdentityProvider({ ...settings, deadlineMs: PROVIDER_MS }, clock);
    return [settings.name, { settings, identity: opened }];
  });
  const redirectUri = `${identity.publicUrl}/callback`;
  return new HumanDoor({
    ...processor.waiting,
    ...ports,
    shelf,
    redirectUri,
    publicUrl: identity.publicUrl,
    providers: new Map(providers),
    sessions: new Sessions({ clock, random }),
    desk: new ApprovalDesk({ ...processor.api, random, signer, redirectUri }),
    cookieKey: keyFor(secret, 'human-door/v0'),
  });
}

/** Opens the door for people. */
export async function openDoor(
  prepared: PreparedDoor,
  processor: IntakeProcessor,
  { host, port, ...ports }: DoorPorts & { readonly host: string; readonly port: number },
): Promise<GatewayListener> {
  const door = makeHumanDoor(prepared, processor, ports);
  const listener = await startGatewayListener({
    host,
    port,
    clock: ports.clock,
    what: { name: 'the human door', setting: 'CLYRA_HUMAN_PORT' },
    limits: { connectionsMax: CONNECTIONS_MAX },
    handle: (request) => door.handle(request),
    onRefused: (code) => processor.api.edge.count(code),
  });
  ports.logger.info('human door listening', { url: listener.url, public_url: prepared.identity.publicUrl });
  return listener;
}
