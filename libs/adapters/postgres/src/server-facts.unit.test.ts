// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { type ServerFacts, serverProblems } from './server-facts.ts';

const SERVER: ServerFacts = {
  version: '15.18',
  versionMajor: 15,
  walLevel: 'logical',
  isStandby: false,
  database: 'shop',
  role: 'clyra',
  roleHasReplication: true,
  announcesDdl: true,
  messagesAreOpen: false,
  walSenderTimeoutMs: 60_000,
  maxSlotWalKeepSizeMb: 10_240,
};

const found = (changes: Partial<ServerFacts>, allowBestEffort = false): readonly string[] =>
  serverProblems({ ...SERVER, ...changes }, { allowBestEffort }).map(({ severity, code }) => `${severity} ${code}`);

describe('serverProblems', () => {
  it.each([
    [12, true, ['refuse CLY_SOURCE_VERSION_OLD']],
    [13, false, ['refuse CLY_SOURCE_VERSION_OLD']],
    [14, true, ['warn CLY_SOURCE_VERSION_OLD']],
    [15, false, []],
    [16, false, []],
    [17, false, ['warn CLY_SOURCE_VERSION_UNTESTED']],
  ])('judges version %i with best effort %s', (versionMajor, allowBestEffort, expected) => {
    expect(found({ versionMajor }, allowBestEffort)).toEqual(expected);
  });

  it.each([
    [{ isStandby: true }, 'refuse CLY_SOURCE_IS_STANDBY'],
    [{ walLevel: 'replica' }, 'refuse CLY_SOURCE_WAL_LEVEL'],
    [{ maxSlotWalKeepSizeMb: -1 }, 'warn CLY_SOURCE_WAL_UNBOUNDED'],
  ])('judges %j', (changes, expected) => {
    expect(found(changes)).toEqual([expected]);
  });
});
