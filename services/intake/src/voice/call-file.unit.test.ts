// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CallRecord, parseCallRecords } from '@clyra/core/inspection/voice/call-record';
import { SimClock } from '@clyra/testing/sim-clock';
import { afterAll, describe, expect, it } from '@jest/globals';
import { CallFile } from './call-file.ts';
import { CallLog } from './call-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'clyra-calls-'));
const files: CallFile[] = [];
afterAll(async () => {
  await Promise.all(files.map((file) => file.close()));
  rmSync(folder, { recursive: true });
});

const PBX = { name: 'pbx', tenant: 'acme' };

async function openLog(path: string): Promise<CallLog> {
  const file = await CallFile.open(path);
  files.push(file);
  return CallLog.open(file, new SimClock());
}

function record(id: string, event: string, session = 's-1'): CallRecord {
  const read = parseCallRecords(Buffer.from(JSON.stringify({ id, call_id: session, session, event, at: 1 })), 2);
  if ('fault' in read) throw new Error(read.fault);
  return read[0] as CallRecord;
}

describe('the file of call records', () => {
  it('is there after a restart, without the line that a crash cut off', async () => {
    const path = join(folder, 'restart.ndjson');
    const first = await openLog(path);
    await first.take(PBX, [record('1', 'call.started'), record('2', 'disclaimer.played')]);
    await first.take(PBX, [record('3', 'disclaimer.acknowledged'), record('4', 'call.started', 's-2')]);
    const { size } = statSync(path);
    writeFileSync(path, '{"name":"pbx","ten', { flag: 'a' });
    const second = await openLog(path);
    expect(statSync(path).size).toBe(size);
    expect(second.of('acme')('s-1')).toEqual(first.of('acme')('s-1'));
    expect(second.of('acme')('s-1')).toMatchObject({ disclaimer_acknowledged: true });
    expect(second.of('globex')('s-1')).toBeUndefined();
    await second.take(PBX, [record('5', 'call.ended', 's-2')]);
    expect((await openLog(path)).of('acme')('s-2')).toMatchObject({ ended: true });
  });

  it('with a line that nobody wrote stops the start', async () => {
    const path = join(folder, 'damaged.ndjson');
    for (const line of ['nonsense', '[]', '{"name":"pbx"}', '{"name":"pbx","tenant":"acme","record":"{}"}']) {
      writeFileSync(path, `${line}\n`);
      await expect(openLog(path)).rejects.toThrow(expect.objectContaining({ code: 'CLY_VOICE_LOG_DAMAGED' }));
    }
  });

  it('that cannot be written takes nothing', async () => {
    await expect(CallFile.open(join(folder, 'none', 'calls.ndjson'))).rejects.toThrow(
      expect.objectContaining({ code: 'CLY_VOICE_LOG_UNAVAILABLE' }),
    );
    const file = await CallFile.open(join(folder, 'closed.ndjson'));
    const log = await CallLog.open(file, new SimClock());
    await file.close();
    await expect(log.take(PBX, [record('1', 'call.started')])).rejects.toThrow(
      expect.objectContaining({ code: 'CLY_VOICE_LOG_UNAVAILABLE', retry: 'backoff' }),
    );
    expect(log.of('acme')('s-1')).toBeUndefined();
  });
});
