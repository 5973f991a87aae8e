// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { openBlobStore } from '@clyra/adapter-blob/open-blob-store';
import { readWarehouseEntry } from '@clyra/recorder/source/warehouse-entry';
import { DatabricksHistory } from '@clyra/recorder/warehouse/databricks/databricks-history';
import type { HistorySource } from '@clyra/recorder/warehouse/history-source';
import { SnowflakeHistory } from '@clyra/recorder/warehouse/snowflake/snowflake-history';
import { realClock } from '@clyra/testing/real-clock';
import { describe, expect, it } from '@jest/globals';
import { NOTHING_TOLD } from './warehouse-world.ts';

const FILES = { snowflake: process.env['CLYRA_LIVE_SNOWFLAKE'], databricks: process.env['CLYRA_LIVE_DATABRICKS'] };
const PAGE_LIMIT_MS = 5_000;
/** A look reads up to three views. */
const VIEWS = 3;
const DAY_MS = 86_400_000;

async function historyOf(kind: 'snowflake' | 'databricks', path: string): Promise<HistorySource> {
  const settings = readWarehouseEntry(JSON.parse(await readFile(path, 'utf8')), { kind, at: { path, place: 'entry' } });
  return settings.kind === 'snowflake'
    ? new SnowflakeHistory(settings.snowflake)
    : new DatabricksHistory(settings.databricks, { openBlobs: (where) => openBlobStore(where, realClock) });
}

/** Reads only. Without a file these are skipped, and the run says so: it is no proof of anything. */
describe('a real account', () => {
  for (const kind of ['snowflake', 'databricks'] as const) {
    const path = FILES[kind];
    const test = path === undefined ? it.skip : it;
    test(`of ${kind} tells who it is and what changed in the last day, in less than 5 s a page`, async () => {
      const history = await historyOf(kind, path ?? '');
      try {
        const { nowMs, systemId } = await history.facts();
        expect(systemId).toMatch(/^(?:snowflake|databricks)/);
        const beganMs = Date.now();
        const pass = await history.read({
          ...NOTHING_TOLD,
          ...{ nowMs, beganMs: nowMs - DAY_MS, horizonMs: nowMs - DAY_MS },
        });
        expect((Date.now() - beganMs) / Math.max(1, Math.ceil(pass.statements.length / 1_000))).toBeLessThan(
          PAGE_LIMIT_MS * VIEWS,
        );
      } finally {
        await history.close();
      }
    }, 300_000);
  }
});
