// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { BodyKeys } from '@clyra/adapter-blob/body-keys';
import { BodyVault } from '@clyra/adapter-blob/body-vault';
import { openBlobStore } from '@clyra/adapter-blob/open-blob-store';
import { openSigner } from '@clyra/adapter-signing/open-signer';
import { FilePositionStore } from '@clyra/runtime/file-position-store';
import { type LogServicePorts, type ServiceStart, startLogService } from '@clyra/runtime/log-service';
import type { Service, StopPart } from '@clyra/runtime/service-shell';
import { systemRandom } from '@clyra/runtime/system-random';
import { Activation } from './activation/activation.ts';
import { loadAnalysers } from './analysers.ts';
import { SpoolFolder } from './bodies/spool-folder.ts';
import { type IntakeConfig, intentPartitionsOf } from './config.ts';
import { CredentialsFile } from './credentials-file.ts';
import { nextEpoch } from './epoch-file.ts';
import { ExternalDetectors } from './external/external-detectors.ts';
import { openHttpDetectors } from './external/http-detector.ts';
import { readGrantPlaces } from './grants/read-grant-places.ts';
import { registerApiRoutes } from './http/api-routes.ts';
import { type GatewayListener, startGatewayListener } from './http/gateway-listener.ts';
import { readTls } from './http/tls.ts';
import { registerApprovalRoutes } from './human/approval-routes.ts';
import { openDoor, type PreparedDoor, prepareDoor } from './human/start-human-door.ts';
import { type IntakeOptions, IntakeProcessor } from './intake.processor.ts';
import { intakeMeter } from './intake-meter.ts';
import { intentMeter } from './intents/intent-meter.ts';
import { pooledRandom } from './log/pooled-random.ts';
import { HttpUpstream } from './upstream/http-upstream.ts';
import { parseUpstream, type UpstreamAddress } from './upstream/upstream-list.ts';
import { CallFile } from './voice/call-file.ts';
import { CallLog } from './voice/call-log.ts';

/** The processor is injected by this token. */
export const INTAKE = Symbol('IntakeProcessor');

/** The API's listener is the service's own (`url`); the gateway stands beside it. */
export type IntakeService = Service & { readonly gatewayUrl: string; readonly humanUrl: string | undefined };

const START_READ_DEADLINE_MS = 20_000;
const NO_RECEIPTS = 'clyra.receipts cannot be read; changes are answered 503 until it can';

/** The composition root: the only place where intake's ports become Kafka, HTTP, files and keys. */
export async function startIntake(config: IntakeConfig, start: ServiceStart = {}): Promise<IntakeService> {
  let gatewayUrl = '';
  let humanUrl: string | undefined;
  const service = await startLogService<IntakeProcessor>(
    {
      name: 'intake',
      config,
      token: INTAKE,
      routes: (scope, processor) => {
        registerApiRoutes(scope, processor);
        registerApprovalRoutes(scope, () => processor().waiting);
      },
      start: async (ports, onStop) => {
        const prepared = await prepareDoor(config, { ...ports, random: systemRandom }, onStop);
        const processor = await startProcessor(config, { ...ports, ...prepared?.options }, onStop);
        const gateway = await startGateway(config, processor, ports);
        onStop(() => gateway.close(config.shutdownDeadlineMs / 4));
        onStop(async () => processor.gateway.stop());
        gatewayUrl = gateway.url;
        if (prepared !== undefined) humanUrl = await startDoor(config, { ...ports, prepared, processor }, onStop);
        return processor;
      },
    },
    start,
  );
  return { ...service, gatewayUrl, humanUrl };
}

async function startProcessor(
  config: IntakeConfig,
  ports: LogServicePorts & Partial<PreparedDoor['options']>,
  onStop: (part: StopPart) => void,
): Promise<IntakeProcessor> {
  const { log, topics, logger, codec, clock, metrics, readiness, heldRequests, onHeldGone } = ports;
  const upstream = await HttpUpstream.open(config.upstreams.map(parseUpstream) as UpstreamAddress[], {
    totalMs: config.upstreamMs,
  });
  onStop(() => upstream.close());
  const epoch = await nextEpoch(join(config.dataDir, `${config.instance.replaceAll('/', '_')}.epoch`), clock.nowMs());
  const detectors = await openHttpDetectors((config.externalDetectors ?? []).map(parseUpstream) as UpstreamAddress[]);
  onStop(() => detectors.close());
  const blobs = await openBlobStore(config.blobDir, clock);
  const bodyKeys = new BodyKeys(config.bodyKeyDir ?? join(config.dataDir, 'body-keys'), systemRandom);
  const processor = new IntakeProcessor({
    ...{ log, topics, logger, codec, clock },
    blobs,
    signer: await openSigner(config.keyFile),
    upstream,
    positions: new FilePositionStore(config.dataDir),
    random: pooledRandom(systemRandom),
    spool: await openSpool(config),
    vault: { vault: new BodyVault(blobs, bodyKeys), keys: bodyKeys },
    analysers: await loadAnalysers(config.detectorPacks),
    externals: new ExternalDetectors(detectors.clients, clock),
    ...(await openActivation(config, ports, onStop)),
    ...(heldRequests === undefined ? {} : { heldRequests }),
    ...(onHeldGone === undefined ? {} : { onHeldGone }),
    credentials: await CredentialsFile.open(config.credentialsFile, { clock, logger }),
    intake: { instance: config.instance, epoch },
    grantPlaces: await readGrantPlaces(config.grantPlacesFile),
    fingerprintSecret: Buffer.from(config.fingerprintSecret, 'base64'),
    trustRootDigests: new Set(config.trustRootDigests ?? []),
    limits: { holdMs: config.holdMs, bodyBytesMax: config.bodyBytesMax, inFlightMax: config.inFlightMax },
    outcomeLimits: { countMax: config.outcomeCountMax, ageMsMax: config.outcomeAgeMsMax },
    keeper: { windowMs: config.windowMs, windowCount: config.windowCount },
    meter: intakeMeter(metrics),
    ...intentOptions(config, ports),
    onReceiptsConnection: (state) => readiness.report('receipts', state === 'connected' ? undefined : NO_RECEIPTS),
  });
  onStop(() => processor.stop(config.shutdownDeadlineMs / 4));
  await processor.start(Math.min(config.startDeadlineMs, START_READ_DEADLINE_MS));
  logger.info('intake follows the log', { epoch });
  return processor;
}

async function openActivation(
  { activationFile, dataDir, instance }: IntakeConfig,
  { clock, logger }: LogServicePorts,
  onStop: (part: StopPart) => void,
): Promise<{ readonly activation?: Activation; readonly calls?: CallLog }> {
  if (activationFile === undefined) return {};
  const activation = await Activation.open({ path: activationFile, clock, logger });
  const file = await CallFile.open(join(dataDir, `${instance.replaceAll('/', '_')}.calls.ndjson`));
  onStop(() => file.close());
  return { activation, calls: await CallLog.open(file, clock) };
}

const NO_INTENTS = 'clyra.intents cannot be read; intents wait there until it can';

function intentOptions(
  { intentPartitions, intentInFlightMax }: IntakeConfig,
  { metrics, readiness }: Pick<LogServicePorts, 'metrics' | 'readiness'>,
): Pick<IntakeOptions, 'intents'> {
  const partitions = intentPartitionsOf(intentPartitions);
  if (partitions === 'invalid' || partitions?.length === 0) return {};
  return {
    intents: {
      ...(partitions === undefined ? {} : { partitions }),
      limits: { inFlightMax: intentInFlightMax },
      meter: intentMeter(metrics),
      onConnection: (state) => readiness.report('intents', state === 'connected' ? undefined : NO_INTENTS),
    },
  };
}

function openSpool(config: IntakeConfig): Promise<SpoolFolder> {
  const folder = join(config.spoolDir ?? config.dataDir, `${config.instance.replaceAll('/', '_')}.spool`);
  return SpoolFolder.open(folder, systemRandom, { bytesMax: config.spoolBytesMax, countMax: config.spoolCountMax });
}

async function startGateway(
  config: IntakeConfig,
  processor: IntakeProcessor,
  { clock, logger }: LogServicePorts,
): Promise<GatewayListener> {
  const gateway = await startGatewayListener({
    host: config.gatewayHost,
    port: config.gatewayPort,
    clock,
    handle: (request) => processor.gateway.handle(request),
    onRefused: (code) => processor.api.edge.count(code),
    ...(await readTls(config)),
  });
  logger.info('gateway listening', { url: gateway.url });
  return gateway;
}

type DoorParts = LogServicePorts & { readonly prepared: PreparedDoor; readonly processor: IntakeProcessor };

async function startDoor(
  config: IntakeConfig,
  { prepared, processor, clock, logger }: DoorParts,
  onStop: (part: StopPart) => void,
): Promise<string> {
  const where = { host: config.humanHost, port: config.humanPort };
  const door = await openDoor(prepared, processor, { ...where, clock, logger, random: systemRandom });
  onStop(() => door.close(config.shutdownDeadlineMs / 4));
  return door.url;
}
