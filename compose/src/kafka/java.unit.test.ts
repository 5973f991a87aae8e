// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findJava, javaMajor } from './java.ts';

it.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "21" 2023-09-19', 21],
  ['java version "1.8.0_402"', 8],
  ['The operation couldn’t be completed. Unable to locate a Java Runtime.', undefined],
])('javaMajor reads %j', (output, major) => {
  expect(javaMajor(output)).toBe(major);
});

describe('findJava', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clyra-java-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const installJava = (script: string): void => {
    writeFileSync(join(folder, 'java'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'java'), 0o755);
  };

  it('names what is missing', async () => {
    const finding = findJava({ javaHome: undefined, path: [folder] });
    await expect(finding).rejects.toMatchObject({ code: 'CLY_STACK_JAVA_MISSING' });
    await expect(finding).rejects.toThrow('Java 17 or newer');
  });

  it('says which Java is too old', async () => {
    installJava(`echo 'java version "11.0.2"' >&2`);
    const finding = findJava({ javaHome: undefined, path: [folder] });
    await expect(finding).rejects.toMatchObject({ code: 'CLY_STACK_JAVA_OLD', context: { major: 11 } });
  });

  it('does not trust a stub that only talks', async () => {
    installJava('echo "Unable to locate a Java Runtime" >&2; exit 1');
    const finding = findJava({ javaHome: undefined, path: [folder] });
    await expect(finding).rejects.toMatchObject({ code: 'CLY_STACK_JAVA_MISSING' });
  });

  it('takes what fits', async () => {
    installJava(`echo 'openjdk version "17.0.1"' >&2`);
    expect(await findJava({ javaHome: undefined, path: [folder] })).toBe(join(folder, 'java'));
  });
});
