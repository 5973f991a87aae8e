// SPDX-License-Identifier: Apache-2.0

import type { BodyKeys } from '@clyra/adapter-blob/body-keys';
import type { BodyVault } from '@clyra/adapter-blob/body-vault';
import type { Digest } from '@clyra/core/canonical/digest';
import type { IntakeRef } from '@clyra/core/change/change-body';
import type { TopicNames } from '@clyra/core/change/topics';
import type { Analysers } from '@clyra/core/inspection/inspect-request';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { PositionStore } from '@clyra/core/ports/position-store';
import type { Random } from '@clyra/core/ports/random';
import type { RecordLog } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import type { Activation } from './activation/activation.ts';
import type { ApiParts } from './api/api-parts.ts';
import { CallerDesk } from './api/caller-desk.ts';
import { CommandDesk } from './api/command-desk.ts';
import { BodyIntake } from './bodies/body-intake.ts';
import { KeptBodies } from './bodies/kept-bodies.ts';
import type { SpoolFolder } from './bodies/spool-folder.ts';
import { OwnEvidence } from './evidence/own-evidence.ts';
import type { ExternalDetectors } from './external/external-detectors.ts';
import type { Credentials } from './gateway/authenticate.ts';
import { EdgeCounter } from './gateway/edge-counter.ts';
import { Gateway } from './gateway/gateway.ts';
import { type GatewayMeter, noMeter } from './gateway/gateway-meter.ts';
import { GATEWAY_LIMITS, type GatewayLimits, type GatewayParts } from './gateway/gateway-parts.ts';
import type { Upstream } from './gateway/upstream.ts';
import { GrantMint } from './grants/grant-mint.ts';
import type { GrantPlaces } from './grants/grant-places.ts';
import type { ViewParts } from './human/change-view.ts';
import { HeldIndex } from './human/held-index.ts';
import type { HeldRequests } from './human/held-requests.ts';
import { INTENT_LIMITS, type IntakeIntentsParts, IntentIntake, type IntentLimits } from './intents/intent-intake.ts';
import { type IntentMeter, noIntentMeter } from './intents/intent-meter.ts';
import { ChangeLookup } from './log/change-lookup.ts';
import { ChangePublisher } from './log/change-publisher.ts';
import { ChangeWriter, type OutgoingChange } from './log/change-writer.ts';
import { type LogFollowers, logFollowers } from './log/log-followers.ts';
import { type OutcomeLimits, OutcomeQueue } from './log/outcome-queue.ts';
import { ReceiptDesk } from './log/receipt-desk.ts';
import { ReceiptIntake } from './log/receipt-intake.ts';
import { openStreams } from './log/stream-opener.ts';
import { PositionBook } from './position/position-book.ts';
import { ActivityLedger } from './tenants/activity-ledger.ts';
import { ChangeIndex } from './tenants/change-index.ts';
import { DirectoryPump } from './tenants/directory-pump.ts';
import { DocumentShelf } from './tenants/document-shelf.ts';
import { TenantDirectory } from './tenants/tenant-directory.ts';
import { KEEPER_SETTINGS, type KeeperSettings, TenantKeeper } from './tenants/tenant-keeper.ts';
import type { CallLog } from './voice/call-log.ts';

export type IntakeOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly blobs: BlobStore;
  readonly signer: Signer;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly topics: TopicNames;
  readonly credentials: Credentials;
  /** A new epoch for every start of an instance. */
  readonly intake: IntakeRef;
  /** At least 32 bytes; the same for all intakes, kept for ever. */
  readonly fingerprintSecret: Uint8Array;
  /** What looks into payloads; absent, and what a policy asks them is refused. */
  readonly analysers?: Analysers;
  readonly externals?: ExternalDetectors;
  /** Vendors that deliver, and keys held for upstreams; absent where there is no activation file. */
  readonly activation?: Activation;
  readonly calls?: CallLog;
  /** Where bodies of streamed routes wait; absent, and those routes are refused. */
  readonly spool?: SpoolFolder;
  /** Where bodies are stored; absent, and changes whose bodies are to be kept are refused. */
  readonly vault?: { readonly vault: BodyVault; readonly keys: BodyKeys };
  /** What waits for people is kept there to be looked at; absent where there is no human door. */
  readonly heldRequests?: HeldRequests;
  /** Told when a held change waits no more. */
  readonly onHeldGone?: (held: { readonly tenant: string; readonly of: string }) => void;
  /** Databases that redeem grants; absent, and no grant is made. */
  readonly grantPlaces?: GrantPlaces;
  readonly trustRootDigests?: ReadonlySet<Digest>;
  /** Absent: every start reads the topics from their beginning. */
  readonly positions?: PositionStore;
  readonly limits?: Partial<GatewayLimits>;
  readonly outcomeLimits?: Partial<OutcomeLimits>;
  readonly keeper?: Partial<KeeperSettings>;
  readonly commandHoldMs?: number;
  readonly meter?: GatewayMeter;
  /** The Kafka door; absent, and it stays shut. */
  readonly intents?: Pick<IntakeIntentsParts, 'partitions' | 'onConnection'> & {
    readonly limits?: Partial<IntentLimits>;
    readonly meter?: IntentMeter;
  };
  /** Told when the receipts cannot be read, and when they can be again. */
  readonly onReceiptsConnection?: (state: 'connected' | 'lost') => void;
};

const OUTCOME_LIMITS: OutcomeLimits = { countMax: 10_000, ageMsMax: 5_000 };
const COMMAND_HOLD_MS = 5_000;
const DOCUMENTS_DEADLINE_MS = 10_000;

type OwnGatewayParts = Pick<
  GatewayParts,
  | 'random'
  | 'logger'
  | 'upstream'
  | 'meter'
  | 'fingerprintSecret'
  | 'limits'
  | 'analysers'
  | 'externals'
  | 'bodies'
  | 'heldRequests'
  | 'grantMint'
  | 'activation'
  | 'calls'
>;

function gatewayOptions(options: IntakeOptions): OwnGatewayParts {
  const { spool, clock, random, logger, upstream, fingerprintSecret, analysers, externals, heldRequests } = options;
  const { activation, calls } = options;
  const looking = analysers === undefined ? {} : { analysers };
  return {
    random,
    logger,
    upstream,
    fingerprintSecret,
    grantMint: new GrantMint(options.grantPlaces ?? new Map()),
    meter: options.meter ?? noMeter,
    limits: { ...GATEWAY_LIMITS, ...options.limits },
    ...looking,
    ...(externals === undefined ? {} : { externals }),
    ...(activation === undefined ? {} : { activation }),
    ...(calls === undefined ? {} : { calls }),
    ...(heldRequests === undefined ? {} : { heldRequests }),
    ...(spool === undefined ? {} : { bodies: new BodyIntake({ spool, clock, ...looking }) }),
  };
}

type DoorNeeds = Pick<IntakeIntentsParts, 'credentials' | 'directory' | 'gateway' | 'index' | 'edge'>;

function intentIntake(options: IntakeOptions, needs: DoorNeeds): IntentIntake | undefined {
  const { intents, log, codec, clock, logger, topics, positions } = options;
  if (intents === undefined) return undefined;
  const { limits, meter = noIntentMeter, ...own } = intents;
  const name = options.intake.instance;
  const ports = { log, codec, clock, logger, topics, positions };
  return new IntentIntake({ ...ports, ...needs, ...own, name, meter, limits: { ...INTENT_LIMITS, ...limits } });
}

/** All of intake that depends on ports only: HTTP, Kafka and the clock stand outside, so a simulation can run it. */
export class IntakeProcessor {
  readonly gateway: Gateway;
  readonly commands: CommandDesk;
  readonly callers: CallerDesk;
  readonly api: ApiParts;
  /** What waits for approval, and how to look it up. */
  readonly waiting: Omit<ViewParts, 'shelf'>;
  readonly outcomes: OutcomeQueue;
  readonly directory: TenantDirectory;
  readonly #options: IntakeOptions;
  readonly #publisher: ChangePublisher;
  readonly #writer: ChangeWriter;
  readonly #edge: EdgeCounter;
  readonly #kept: KeptBodies;
  readonly #evidence: OwnEvidence;
  readonly #keeper: TenantKeeper;
  readonly #pump: DirectoryPump;
  readonly #intake: ReceiptIntake;
  readonly #positions: PositionBook;
  readonly #followers: LogFollowers;
  readonly #intents: IntentIntake | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    const { log, codec, clock, random, logger, topics, credentials, blobs } = options;
    const ledger = new ActivityLedger();
    const index = new ChangeIndex();
    const held = new HeldIndex(options.onHeldGone);
    const documents = new DocumentShelf(blobs);
    const trustRootDigests = options.trustRootDigests ?? new Set<Digest>();
    const directory = new TenantDirectory({ documents, logger, trustRootDigests });
    const desk = new ReceiptDesk({ clock, logger });
    const edge = new EdgeCounter({ log, codec, clock, topic: topics.edge });
    const lookup = new ChangeLookup({ log, codec, clock, topic: topics.changes });
    const pump = new DirectoryPump({ directory, ledger, index, held, lookup, clock, logger });
    const onPublish = (change: OutgoingChange): void => pump.noteOwn(change);
    const publisher = new ChangePublisher({ ...options, topic: topics.changes, onPublish });
    const writer = new ChangeWriter(options.intake, { clock, random });
    const limits = { ...OUTCOME_LIMITS, ...options.outcomeLimits };
    const outcomes = new OutcomeQueue({ publisher, writer, clock, logger, limits });
    const { vault: stored, ...others } = options;
    this.#kept = new KeptBodies({ ...others, ...stored, directory, topic: topics.observations });
    this.#evidence = new OwnEvidence({ ...options, topic: topics.observations, instance: options.intake.instance });
    const { outages, reviewGaps } = this.#evidence;
    const intake = new ReceiptIntake({ desk, publisher, pump, index, ledger, held, logger, outages });
    const shared = { credentials, directory, desk, publisher, writer, edge, clock };
    this.gateway = new Gateway({
      ...shared,
      ...gatewayOptions(options),
      outcomes,
      kept: this.#kept,
      outages,
      reviewGaps,
    });
    this.api = { ...shared, ledger, index, documents, blobs, commandHoldMs: options.commandHoldMs ?? COMMAND_HOLD_MS };
    this.commands = new CommandDesk(this.api);
    this.callers = new CallerDesk(this.api, random);
    this.waiting = { index: held, lookup, clock };
    this.outcomes = outcomes;
    this.directory = directory;
    this.#publisher = publisher;
    this.#writer = writer;
    this.#edge = edge;
    this.#pump = pump;
    const settings = { ...KEEPER_SETTINGS, ...options.keeper };
    this.#keeper = new TenantKeeper({ directory, ledger, publisher, writer, clock, logger, settings });
    this.#intake = intake;
    this.#positions = new PositionBook({
      ...{ log, topics, clock, logger, directory, ledger, index, held, pump },
      store: options.positions,
      name: options.intake.instance,
      pinned: options.trustRootDigests ?? new Set(),
      receipts: intake,
    });
    this.#followers = logFollowers(options, { receipts: intake, pump });
    this.#intents = intentIntake(options, { credentials, directory, gateway: this.gateway, index, edge });
  }

  /**
   * Reads both topics from a saved position, or from their start, and resolves when it knows every tenant as of now.
   * Rejects as PositionBook.open does, and with CLY_LOG_UNREACHABLE when the log cannot be asked within the deadline.
   */
  async start(deadlineMs: number): Promise<void> {
    const { log, topics, random, logger } = this.#options;
    const partitions = await log.endOffsets(topics.changes, deadlineMs);
    this.directory.setPartitionCount(partitions.length);
    const from = await this.#positions.open(deadlineMs);
    const { receipts, changes } = this.#followers;
    await Promise.all([receipts.start(from.receipts, deadlineMs), changes.start(from.changes, deadlineMs)]);
    await Promise.all([receipts.caughtUp, changes.caughtUp]);
    this.#intake.requireSame();
    await changes.close();
    this.#pump.goLive();
    // A document that cannot be had keeps its own tenants waiting, not the whole intake.
    await this.#pump.idle(Math.min(deadlineMs, DOCUMENTS_DEADLINE_MS));
    const opener = { log, publisher: this.#publisher, writer: this.#writer, random, logger, topic: topics.changes };
    await openStreams(opener, deadlineMs);
    this.#keeper.start();
    this.#kept.start();
    this.#positions.start();
    await this.#intents?.start(deadlineMs);
  }

  /** Answers 503 from now on, lets what is in flight end and its outcomes drain, within the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    this.gateway.stop();
    this.#keeper.stop();
    this.#kept.stop();
    const endMs = this.#options.clock.nowMs() + deadlineMs;
    await this.#intents?.stop(deadlineMs / 2);
    while (this.gateway.inFlight > 0 && this.#options.clock.nowMs() < endMs) await sleep(this.#options.clock, 10);
    const drained = await this.outcomes.drain(Math.max(0, endMs - this.#options.clock.nowMs()));
    if (!drained)
      this.#options.logger.error('outcomes were left: their changes become unknown', { count: this.outcomes.size });
    await this.#positions.stop();
    this.#pump.close();
    await Promise.all([this.#followers.receipts.close(), this.#edge.close()]);
    await this.#evidence.stop(Math.max(100, deadlineMs / 4));
    await Promise.all([this.#publisher, this.#kept].map((one) => one.close(Math.max(100, deadlineMs / 4))));
  }
}
