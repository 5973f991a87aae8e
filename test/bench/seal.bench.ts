// SPDX-License-Identifier: Apache-2.0
// How many leaves a second the producer seals: leaf and tree hashes, segments and the digest of the journal, over lines of
// several lengths. Options: --quick, --rounds N.
import { createHash } from 'node:crypto';
import process from 'node:process';
import { RangeDigest } from '@clyra/core/evidence/range-digest';
import { CompactRange } from '@clyra/core/merkle/compact-range';
import { benchOptions } from './src/options.ts';
import { figure } from './src/report/figures.ts';
import { limitsTable } from './src/report/limits.ts';
import { machineLine, thisMachine } from './src/report/machine.ts';
import { textTable } from './src/report/text-table.ts';
import { spreadOf } from './src/statistics.ts';

const LEAVES = { full: 200_000, quick: 20_000 };
const LENGTHS = [320, 635, 1_500, 3_500];
const LIMIT = 100_000;

const options = benchOptions(process.argv.slice(2));
const leaves = options.quick ? LEAVES.quick : LEAVES.full;

/** Leaves a CPU second. */
function paced(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (leaves / (user + system)) * 1_000_000;
}

function seal(line: Uint8Array): void {
  const digest = new RangeDigest();
  const tree = new CompactRange();
  for (let leaf = 0; leaf < leaves; leaf += 1) tree.append(digest.append(line));
  digest.facts();
  tree.root();
}

/** The floor: the digest of the same bytes and nothing else, in pieces of a whole chunk. */
function hashOnly(line: Uint8Array): void {
  const chunk = Buffer.concat(Array.from({ length: 100 }, () => line));
  const hash = createHash('sha256');
  for (let count = 0; count < leaves; count += 100) hash.update(chunk);
  hash.digest();
}

const rounds = Array.from({ length: options.rounds }, (_, index) => index);
const measured = LENGTHS.map((length) => {
  const line = Buffer.alloc(length, 'x');
  seal(line);
  const sealing = spreadOf(rounds.map(() => paced(() => seal(line)))).median;
  return { length, sealing, floor: spreadOf(rounds.map(() => paced(() => hashOnly(line)))).median };
});
process.stdout.write(`${machineLine(thisMachine())}\n${figure(leaves)} leaves a round, ${options.rounds} rounds\n\n`);
const head = ['bytes a line', 'leaves a CPU second', 'one SHA-256 of the bytes', 'ratio'];
const rows = measured.map(({ length, sealing, floor }) => [
  ...[String(length), figure(sealing), figure(floor), (sealing / floor).toFixed(2)],
]);
const compared = measured.map(({ length, sealing }) => ({
  ...{ name: `sealing, lines of ${length} bytes`, measured: sealing, limit: LIMIT, aim: LIMIT, unit: 'leaves/s' },
  better: 'higher' as const,
}));
process.stdout.write(`${textTable(head, rows)}\n\n${limitsTable(compared)}\n`);
