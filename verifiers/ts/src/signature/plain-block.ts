// SPDX-License-Identifier: Apache-2.0
import type { PlainReader } from '../json/plain-reader.ts';
import type { SignatureBlock } from './block.ts';

const PATH_LENGTH_MAX = 10;
const DIGEST_DIGITS = 64;
const KEY_ID_DIGITS = 32;
const SIGNATURE_DIGITS = 86;
const tableOf = (letters: string): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (Buffer.from(letters).includes(byte) ? 1 : 0));
const HEX = tableOf('0123456789abcdef');
const BASE64 = tableOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
/** The last of 86 digits has four bits that no byte takes: they are zero. */
const BASE64_LAST = tableOf('AQgw');
const INDEX = Buffer.from('{"index":');
const KEY_ID = Buffer.from(',"key_id":"');
const PATH = Buffer.from('","path":[');
const QUOTE = Buffer.from('"');
const COMMA = Buffer.from(',');
const SIG = Buffer.from('],"sig":"');
const SIZE = Buffer.from('==","size":');
const END = Buffer.from('}');

/** A signature block as it stands in a line: nearly always of a send that was judged before, or not judged at all. */
class PlainBlock implements SignatureBlock {
  readonly index: number;
  readonly size: number;
  readonly key_id: string;
  readonly path: readonly string[];
  readonly #signature: string;

  constructor(index: number, size: number, texts: { keyId: string; path: readonly string[]; signature: string }) {
    this.index = index;
    this.size = size;
    this.key_id = texts.keyId;
    this.path = texts.path;
    this.#signature = texts.signature;
  }

  get sig(): Buffer {
    return Buffer.from(this.#signature, 'base64');
  }
}

const NO_PATH: readonly string[] = [];

/** Reads a block at the reader's place; without `isJudged` its shape is checked and only the key's id is kept. */
export function readPlainBlock(reader: PlainReader, isJudged: boolean): SignatureBlock {
  reader.expect(INDEX);
  const index = reader.count();
  reader.expect(KEY_ID);
  const keyAt = reader.run(HEX, KEY_ID_DIGITS);
  reader.expect(PATH);
  const path = readPath(reader, isJudged);
  reader.expect(SIG);
  const sigAt = reader.run(BASE64, SIGNATURE_DIGITS - 1);
  reader.run(BASE64_LAST, 1);
  reader.expect(SIZE);
  const size = reader.count();
  reader.expect(END);
  const keyId = reader.repeated(keyAt, keyAt + KEY_ID_DIGITS);
  const signature = isJudged ? `${reader.text(sigAt, sigAt + SIGNATURE_DIGITS)}==` : '';
  return new PlainBlock(index, size, { keyId, path, signature });
}

function readPath(reader: PlainReader, isJudged: boolean): readonly string[] {
  if (!reader.takes(QUOTE)) {
    return NO_PATH;
  }
  const path: string[] = [];
  let count = 0;
  do {
    if (count > 0) {
      reader.expect(QUOTE);
    }
    const from = reader.run(HEX, DIGEST_DIGITS);
    if (isJudged) {
      path.push(reader.text(from, from + DIGEST_DIGITS));
    }
    reader.expect(QUOTE);
    count += 1;
  } while (count < PATH_LENGTH_MAX && reader.takes(COMMA));
  return path;
}
