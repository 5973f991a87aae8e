// SPDX-License-Identifier: Apache-2.0
// Verifies packed cases from standard input with the TypeScript verifier, one line of verdict for each: the other side of
// verifiers/go/cmd/clyra-mutate, which says what stands in a packed case.
import { type CaseFiles, type PackedHeader, unpack, verdictOf } from './packed-case.ts';
import { PackedReader } from './packed-reader.ts';
import { rememberSignatures } from './remembered-signatures.ts';

rememberSignatures();
const reader = new PackedReader(process.stdin);
const bases: CaseFiles[] = [];
for (;;) {
  const length = await reader.take(4);
  if (length === null) {
    break;
  }
  const header = JSON.parse(String(await reader.take(length.readUInt32BE()))) as PackedHeader;
  const size = header.set.reduce((sum, [, bytes]) => sum + Math.max(0, bytes), 0);
  const files = unpack(header, (await reader.take(size)) ?? Buffer.alloc(0), bases[header.base ?? -1] ?? new Map());
  if (header.define === undefined) {
    process.stdout.write(`${await verdictOf(files, header.head === true ? 'head' : 'full')}\n`);
  } else {
    bases[header.define] = files;
  }
}
