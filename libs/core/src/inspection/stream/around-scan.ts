// SPDX-License-Identifier: Apache-2.0
import { JsonError } from '../../canonical/json-error.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DEPTH_MAX = 64;
const NAME_BYTES_MAX = 1_024;

type Frame = { readonly isObject: boolean; name: string | undefined; wantsName: boolean };

/** Follows the structure of a JSON text down to one list: stops behind the bracket that opens it. */
export class AroundScan {
  readonly #path: readonly string[];
  readonly #stack: Frame[] = [];
  readonly #name = Buffer.alloc(NAME_BYTES_MAX);
  #nameSize = 0;
  #inString = false;
  #isEscaped = false;
  #hasRoot = false;
  #isAtList = false;
  #wasFound = false;

  constructor(path: readonly string[]) {
    this.#path = path;
  }

  /** The last byte that was scanned opens the list. */
  get isAtList(): boolean {
    return this.#isAtList;
  }

  get wasFound(): boolean {
    return this.#wasFound;
  }

  /** The items were read by somebody else: the next byte closes the list. */
  leaveList(): void {
    this.#isAtList = false;
  }

  /** The position behind the bracket that opens the list, or the end of the chunk. */
  scan(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (this.#inString) this.#inText(byte);
      else this.#structure(byte);
      if (this.#isAtList) return at + 1;
    }
    return chunk.length;
  }

  #inText(byte: number): void {
    const top = this.#stack.at(-1);
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) {
      this.#inString = false;
      if (top?.wantsName === true) top.name = this.#readName();
      return;
    }
    if (top?.wantsName !== true) return;
    if (this.#nameSize < NAME_BYTES_MAX) this.#name[this.#nameSize] = byte;
    this.#nameSize += 1;
  }

  #structure(byte: number): void {
    const top = this.#stack.at(-1);
    switch (byte) {
      case QUOTE:
        this.#inString = true;
        this.#nameSize = 0;
        break;
      case 0x7b:
        this.#enter({ isObject: true, name: undefined, wantsName: true });
        break;
      case 0x5b:
        if (this.#isListHere()) {
          this.#isAtList = true;
          this.#wasFound = true;
        }
        this.#enter({ isObject: false, name: undefined, wantsName: false });
        break;
      case 0x7d:
      case 0x5d:
        this.#stack.pop();
        break;
      case 0x2c:
        if (top?.isObject === true) top.wantsName = true;
        break;
      case 0x3a:
        if (top !== undefined) top.wantsName = false;
        break;
      default:
    }
  }

  #enter(frame: Frame): void {
    if (this.#stack.length >= DEPTH_MAX)
      throw new JsonError('CLY_JSON_DEPTH', `nesting is deeper than ${DEPTH_MAX}`, 0);
    this.#hasRoot = true;
    this.#stack.push(frame);
  }

  #isListHere(): boolean {
    if (this.#wasFound || this.#stack.length !== this.#path.length || (this.#path.length === 0 && this.#hasRoot)) {
      return false;
    }
    return this.#stack.every((frame, index) => frame.isObject && !frame.wantsName && frame.name === this.#path[index]);
  }

  /** A name that is spelled with escapes is the same name. One that no reader accepts is nobody's. */
  #readName(): string | undefined {
    if (this.#nameSize > NAME_BYTES_MAX) return undefined;
    try {
      return JSON.parse(`"${this.#name.toString('utf8', 0, this.#nameSize)}"`) as string;
    } catch {
      return undefined;
    }
  }
}
