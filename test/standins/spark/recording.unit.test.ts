// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { engineOf, readRecording, readSource } from './recording.ts';

const pinOf = async (file: string, pin: RegExp): Promise<string | undefined> =>
  pin.exec(await readFile(join(import.meta.dirname, file), 'utf8'))?.[1];

describe('what is recorded of Spark and Delta', () => {
  it('is of the versions that are pinned, and says of what day', async () => {
    const spark = await pinOf('requirements.txt', /^pyspark==(\S+)/m);
    const delta = await pinOf('pom.xml', /<artifactId>delta-spark_\S+<\/artifactId>\s*<version>([^<]+)</);
    const { engine, recordedOn } = await readSource();
    expect(engine).toBe(`Apache-Spark/${spark} Delta-Lake/${delta}`);
    expect(engineOf(await readRecording())).toBe(engine);
    expect(recordedOn).toMatch(/^2\d{3}-\d\d-\d\d$/);
  });

  it('is of one engine', () => {
    const by = (engineInfo: string) => [{ commitInfo: { engineInfo } }];
    expect(() => engineOf({ answers: [], log: [by('a'), by('b')] })).toThrow('not one engine');
    expect(() => engineOf({ answers: [], log: [[{ add: {} }]] })).toThrow('not one engine');
  });
});
