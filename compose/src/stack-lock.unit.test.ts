// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { identityOf } from './process/process-identity.ts';
import { withLock } from './stack-lock.ts';

describe('withLock', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clyra-lock-'));
    file = join(folder, 'stack.lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('lets one in at a time, and gives the lock back after a failure', async () => {
    let insideCount = 0;
    let mostInside = 0;
    const work = async (): Promise<void> => {
      insideCount += 1;
      mostInside = Math.max(mostInside, insideCount);
      await new Promise((resolve) => setTimeout(resolve, 20));
      insideCount -= 1;
      throw new Error('failed');
    };
    const results = await Promise.allSettled([1, 2, 3].map(() => withLock(file, 5_000, work)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(mostInside).toBe(1);
    expect(existsSync(file)).toBe(false);
  });

  it('passes over a holder that is gone, also when its pid lives again', async () => {
    writeFileSync(file, JSON.stringify({ pid: process.pid, startedAs: 'another start' }));
    await expect(withLock(file, 1_000, async () => 'in')).resolves.toBe('in');
  });

  it('names a holder that does not finish', async () => {
    writeFileSync(file, JSON.stringify(identityOf(process.pid)));
    await expect(withLock(file, 100, async () => 'in')).rejects.toMatchObject({
      code: 'CLY_STACK_BUSY',
      context: { holderPid: process.pid },
    });
  });
});
