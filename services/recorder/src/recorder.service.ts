// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { openBlobStore } from '@clyra/adapter-blob/open-blob-store';
import type { GuardedRelations } from '@clyra/adapter-postgres/publication-preflight';
import { openSigner } from '@clyra/adapter-signing/open-signer';
import type { Clock } from '@clyra/core/ports/clock';
import { FilePositionStore } from '@clyra/runtime/file-position-store';
import { type LogServicePorts, type ServiceStart, startLogService } from '@clyra/runtime/log-service';
import type { Service } from '@clyra/runtime/service-shell';
import { systemRandom } from '@clyra/runtime/system-random';
import type { RecorderConfig } from './config.ts';
import { horizonsOf } from './horizons.ts';
import { OPENAPI } from './openapi.ts';
import { type RecordedSource, RecorderProcessor } from './recorder.processor.ts';
import { RecorderMetrics } from './recorder-metrics.ts';
import { FileDigestKeys } from './source/digest-keys.ts';
import { PostgresSource } from './source/postgres-source.ts';
import { readSourceList, type SourceSettings } from './source/source-list.ts';
import { DatabricksHistory } from './warehouse/databricks/databricks-history.ts';
import { SnowflakeHistory } from './warehouse/snowflake/snowflake-history.ts';

/** The processor is injected by this token. */
export const RECORDER = Symbol('RecorderProcessor');

/** The composition root: the only place where the processor's ports become Kafka, PostgreSQL, files and keys. */
export async function startRecorder(config: RecorderConfig, start: ServiceStart = {}): Promise<Service> {
  const settings = config.sourcesFile === undefined ? [] : await readSourceList(config.sourcesFile);
  return startLogService<RecorderProcessor>(
    {
      name: 'recorder',
      config,
      token: RECORDER,
      routes: (scope, processor) => {
        scope.get('/v1/status', () => ({ sources: processor().status() }));
        scope.get('/v1/horizons', () => ({ tenants: horizonsOf(processor().status()) }));
        scope.get('/v1/findings', () => ({ tenants: processor().findings() }));
        scope.get('/v1/openapi.json', () => OPENAPI);
      },
      start: async (ports, onStop) => {
        const processor = await composeProcessor(config, settings, ports);
        onStop(() => processor.stop(config.shutdownDeadlineMs / 2));
        processor.start();
        const endFigures = new RecorderMetrics(ports.metrics, () => processor.status()).start(ports.clock);
        onStop(async () => endFigures());
        return processor;
      },
    },
    start,
  );
}

async function composeProcessor(
  config: RecorderConfig,
  settings: readonly SourceSettings[],
  ports: LogServicePorts,
): Promise<RecorderProcessor> {
  const { log, codec, logger, clock, topics, readiness } = ports;
  return new RecorderProcessor({
    ...{ log, codec, logger, clock, topics },
    signer: await openSigner(config.keyFile),
    sources: settings.map((source) => recordedSource(source, clock)),
    digestKeys: new FileDigestKeys(join(config.dataDir, 'digest-keys'), systemRandom),
    positions: new FilePositionStore(join(config.dataDir, 'publications')),
    mayPrepare: config.prepareSources,
    watermarkIntervalMs: config.watermarkIntervalMs,
    logDeadlineMs: config.logDeadlineMs,
    onSource: ({ sourceId }, reason) => readiness.report(`source ${sourceId}`, reason),
  });
}

function recordedSource(settings: SourceSettings, clock: Clock): RecordedSource {
  const { sourceId, tenant } = settings;
  const identity = { sourceId, tenant };
  switch (settings.kind) {
    case 'postgres':
      return { identity, guarded: settings.request.guarded, source: new PostgresSource(settings.request) };
    case 'snowflake': {
      const { snowflake, pollIntervalMs } = settings;
      const history = new SnowflakeHistory(snowflake);
      return { identity, guarded: tablesOf(snowflake.guarded), history, tuning: { pollIntervalMs } };
    }
    case 'databricks': {
      const { databricks, pollIntervalMs } = settings;
      const tools = { openBlobs: (where: string) => openBlobStore(where, clock) };
      const history = new DatabricksHistory(databricks, tools);
      return { identity, guarded: tablesOf(databricks.guarded), history, tuning: { pollIntervalMs } };
    }
  }
}

/** A warehouse's name has three parts: the first two are the schema. */
function tablesOf(names: readonly string[]): GuardedRelations {
  const tables = names.map((name) => {
    const dot = name.lastIndexOf('.');
    return { schema: name.slice(0, dot), name: name.slice(dot + 1) };
  });
  return { tables, schemas: [] };
}
