// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';

const BLOCK = 512;
/** Eleven octal digits. */
export const TAR_FILE_BYTES_MAX = 8_589_934_591;
const NAME_BYTES_MAX = 100;
const ORDER = [
  'manifest.json',
  'manifest.dsse.json',
  'checkpoint',
  'bundle-log.checkpoint',
  'cosignatures/',
  'times/',
  'replay.dsse.json',
  'VERIFY.md',
  'artifacts/',
  'journal.jsonl',
];

/** The files of a bundle in the order in which a container holds them (docs/spec/bundle.md §1). */
export function inTarOrder(names: readonly string[]): readonly string[] {
  return [...names].sort((left, right) => placeOf(left) - placeOf(right) || (left < right ? -1 : 1));
}

/** Throws CLY_BUNDLE_TAR for a name that no bundle has. */
function placeOf(name: string): number {
  const place = ORDER.indexOf(name.includes('/') ? `${name.split('/')[0]}/` : name);
  if (place < 0) throw refusal(`${name} is no file of a bundle`);
  return place;
}

/** The one header that a file of this name and size has (docs/spec/bundle.md §2). Throws CLY_BUNDLE_TAR. */
export function tarHeader(name: string, size: number): Uint8Array {
  if (name.length > NAME_BYTES_MAX || size > TAR_FILE_BYTES_MAX) {
    throw refusal(`${name} with ${size} bytes is too large for one file: keep the bundle as a folder`);
  }
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'ascii');
  header.write('0000644\0', 100, 'latin1');
  for (const at of [108, 116, 329, 337]) header.write('0000000\0', at, 'latin1');
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('00000000000\0', 136, 'latin1');
  header.write(' '.repeat(8), 148, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** What fills a file's last block up. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK);

function refusal(what: string): ClyraError {
  return new ClyraError('CLY_BUNDLE_TAR', `no container can be made: ${what}`, { retry: 'never' });
}
