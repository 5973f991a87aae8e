// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { type DecidedLine, parseLine } from '../journal/line.ts';
import { LogBuilder, makeKeys } from '../testing/log-builder.ts';
import { canonical, type Loose, makeKey, type TestKey } from '../testing/primitives.ts';
import { trustRootOf } from '../testing/seal.ts';
import { parseTrustRoot } from '../trust/trust-root.ts';
import { CommandCheck } from './command-check.ts';

describe('commands', () => {
  const keys = { ...makeKeys(), carl: makeKey(['operator'], 'carl'), olgaToo: makeKey(['operator'], 'olga') };
  const both = makeKey(['policy_author', 'policy_approver'], 'ann');
  const all = { ...keys, both };

  it.each([
    ['one operator opens a source', 'source.registered', [keys.operator], 'olga', []],
    ['an author and an approver activate', 'policy.activated', [keys.author, keys.approver], 'ann', []],
    ['the order of the two does not matter', 'policy.activated', [keys.approver, keys.author], 'ben', []],
    ['an author alone does not activate', 'policy.activated', [keys.author], 'ann', ['CLY_COMMAND_ROLE']],
    ['one person with both roles is one subject', 'engine.activated', [both], 'ann', ['CLY_COMMAND_ROLE']],
    ['two people lift', 'kill_switch.lifted', [keys.operator, keys.carl], 'olga', []],
    [
      'two keys of one person do not',
      'kill_switch.lifted',
      [keys.operator, keys.olgaToo],
      'olga',
      ['CLY_COMMAND_ROLE'],
    ],
    ['the first signer is the subject', 'source.registered', [keys.operator], 'carl', ['CLY_COMMAND_SIGNER']],
  ] as const)('%s', (_name, kind, signers, subject, codes) => {
    expect(judge(all, { kind, signers, subject })).toEqual(codes);
  });

  it('lets a single operator act as two', () => {
    expect(judge(all, { kind: 'policy.activated', signers: [both], subject: 'ann', single: true })).toEqual([]);
  });

  it('does not judge a command that was refused', () => {
    expect(judge(all, { kind: 'policy.activated', signers: [], subject: 'x', decision: 'block' })).toEqual([]);
  });
});

interface Command {
  readonly kind: string;
  readonly signers: readonly TestKey[];
  readonly subject: string;
  readonly single?: boolean;
  readonly decision?: string;
}

function judge(keys: Loose, command: Command): readonly string[] {
  const trustRoot = (root: Loose) => {
    root.single_operator = command.single === true;
  };
  const builder = new LogBuilder(keys, { trustRoot });
  const root = parseTrustRoot(trustRootOf(builder));
  builder.command(command.kind, {}, { ...command, receipt: { decision: command.decision ?? 'allow' } });
  const [raw = ''] = builder.finishLines();
  expect(canonical(JSON.parse(raw))).toBe(raw);
  const codes: string[] = [];
  const check = new CommandCheck(root, root.digest, (failure) => codes.push(failure.code));
  check.decided(parseLine(Buffer.from(raw), { line: 1, leaf: 0 }) as DecidedLine);
  return codes;
}
