// SPDX-License-Identifier: Apache-2.0
// Writes the case that is too large for the suite into a folder: a ledger so full of pending transactions that one more
// cannot be judged. `node --conditions=@clyra/source test/differential/heavy-case.ts FOLDER`
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonical, hexOf, type Loose } from '@clyra/verifier/testing/primitives';
import { buildPair } from '@clyra/verifier/testing/standard-bundle';
import { packTar } from '../conformance/pack-tar.ts';

const PENDING_BYTES_MAX = 8_388_608;
const NAME_BYTES = 30_000;
const NEVER_MS = 9_000_000_000_000;

/** A transaction that no cut of this range judges, as a line of the ledger. */
function pendingLine(leaf: number, nameBytes: number): Loose {
  const counts = { inserts: 1, updates: 0, deletes: 0, truncates: 0 };
  return {
    observation_id: hexOf(`observation ${leaf}`).slice(0, 32),
    leaf,
    append_time: NEVER_MS,
    source_id: 'pg',
    committed_at: 1,
    relations: [{ schema: 'public', name: 'x'.repeat(nameBytes), ...counts }],
    token_hashes: [],
  };
}

function bytesOf(line: Loose): number {
  return Buffer.byteLength(canonical({ kind: 'pending', ...line })) + 1;
}

/** Lines that fill the ledger to its last byte. */
function pendingLines(): Loose[] {
  const lines: Loose[] = [];
  for (let left = PENDING_BYTES_MAX; left > 0; ) {
    const bare = bytesOf(pendingLine(lines.length, 0));
    const line = pendingLine(lines.length, left < 2 * NAME_BYTES ? left - bare : NAME_BYTES);
    lines.push(line);
    left -= bytesOf(line);
  }
  return lines;
}

const { second } = buildPair(
  {
    edits: {
      more: ({ ledger }) => ledger.pending.pop(),
      manifest: ({ reconciliation }) => Object.assign(reconciliation, { unjudged: 1 }),
    },
  },
  { edits: { ledger: (ledger) => ledger.pending.push(...pendingLines()) } },
);
const folder = join(process.argv[2] as string, 'pending-full');
const expect = {
  exit_code: 4,
  claims: [['reconciliation', 'PARTIAL', 'CLY_RECONCILE_UNJUDGED']],
};
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'bundle.tar'), packTar(second.files));
writeFileSync(join(folder, 'trust-root.json'), second.trustRoot);
const about = { name: 'pending-full', bundle: 'bundle.tar', trust_root: 'trust-root.json', expect };
writeFileSync(join(folder, 'case.json'), JSON.stringify(about));
