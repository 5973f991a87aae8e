// SPDX-License-Identifier: Apache-2.0

const BLOCK = 512;
/** The order of the files of a bundle (bundle.md §1). */
const ORDER: readonly RegExp[] = [
  /^manifest\.json$/,
  /^manifest\.dsse\.json$/,
  /^checkpoint$/,
  /^bundle-log\.checkpoint$/,
  /^cosignatures\//,
  /^times\//,
  /^replay\.dsse\.json$/,
  /^VERIFY\.md$/,
  /^artifacts\//,
  /^journal\.jsonl$/,
];

export interface Entry {
  readonly name: string;
  readonly bytes: Buffer;
  /** Bends the header after it was written. */
  readonly bend?: (header: Buffer) => void;
}

/** USTAR of files (bundle.md §2); `more` stands behind them, whatever it is called. */
export function packTar(
  files: ReadonlyMap<string, Buffer>,
  more: readonly Entry[] = [],
  order: 'sorted' | 'as-given' = 'sorted',
): Buffer {
  const entries = [...files].map(([name, bytes]): Entry => ({ name, bytes }));
  const sorted = order === 'sorted' ? entries.sort(byPlace) : entries;
  const blocks = [...sorted, ...more].flatMap(({ name, bytes, bend }) => {
    const header = writeHeader(name, bytes.length);
    bend?.(header);
    return [header, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** Bends a header and sums it up again, so that only its content is wrong. */
export function bentHeader(bend: (header: Buffer) => void): (header: Buffer) => void {
  return (header) => {
    bend(header);
    sumUp(header);
  };
}

function byPlace(left: Entry, right: Entry): number {
  const place = (entry: Entry) =>
    (ORDER.findIndex((pattern) => pattern.test(entry.name)) + ORDER.length + 1) % (ORDER.length + 1);
  return place(left) - place(right) || (left.name < right.name ? -1 : 1);
}

function writeHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'utf8');
  header.write('0000644', 100, 'latin1');
  for (const at of [108, 116, 329, 337]) {
    header.write('0000000', at, 'latin1');
  }
  header.write(size.toString(8).padStart(11, '0'), 124, 'latin1');
  header.write('00000000000', 136, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  sumUp(header);
  return header;
}

function sumUp(header: Buffer): void {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
}
