// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Manifest } from '../documents/manifest.ts';
import { CompactRange } from '../hash/compact-range.ts';
import { hashLeaf } from '../hash/tree.ts';
import { RECORD } from '../json/parse.ts';
import { describeParseError, type Failures } from '../report/failures.ts';
import type { JournalFold } from './journal-fold.ts';
import { isLoose, parseLine } from './line.ts';
import { type LineSink, readLines } from './line-reader.ts';
import { Segments } from './segments.ts';

export const JOURNAL = 'journal.jsonl';

export interface JournalResult {
  readonly sha256: string;
  readonly size: number;
  readonly lines: number;
  readonly root: Buffer;
  readonly segments: Segments;
  /** The first line that is no line of the format. What the fold says ends before it. */
  readonly unreadableLine: number | null;
}

/** Streams the journal once: digests, tree, segments, grammar, and (without a broken line before) the fold. */
export async function verifyJournal(
  file: FileHandle,
  given: { readonly manifest: Manifest; readonly failures: Failures },
  fold: JournalFold | null,
): Promise<JournalResult> {
  const reading = new Reading(given.manifest, fold, given.failures);
  await readLines(file, RECORD.bytesMax, reading);
  return reading.result();
}

class Reading implements LineSink {
  readonly #hash = createHash('sha256');
  readonly #start: number;
  readonly #tree: CompactRange;
  readonly #segments: Segments;
  readonly #fold: JournalFold | null;
  readonly #failures: Failures;
  #size = 0;
  #lines = 0;
  #unreadableLine: number | null = null;

  constructor(manifest: Manifest, fold: JournalFold | null, failures: Failures) {
    this.#start = manifest.range.start;
    this.#tree = new CompactRange(
      manifest.range.start,
      manifest.frontier.map((hex) => Buffer.from(hex, 'hex')),
    );
    this.#segments = new Segments(manifest.journal.segments);
    this.#fold = fold;
    this.#failures = failures;
  }

  onBytes(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }

  onLine(bytes: Uint8Array): void {
    this.#lines += 1;
    const leaf = hashLeaf(bytes);
    this.#tree.append(leaf);
    this.#segments.append(leaf);
    const at = { line: this.#lines, leaf: this.#start + this.#lines - 1 };
    try {
      const line = parseLine(bytes, at);
      if (line.kind === 'decided' && isLoose(line)) {
        this.#segments.markLoose();
      }
      if (this.#unreadableLine === null) {
        this.#fold?.step(line);
      }
    } catch (error) {
      const { code, message, location } = describeParseError(error, 'CLY_LINE_SHAPE', { file: JOURNAL, line: at.line });
      this.#break(code, message, location);
    }
  }

  onBroken(what: 'too_long' | 'unterminated'): void {
    this.#lines += 1;
    // Its bytes are not kept, so it stands in the trees as an empty leaf: the roots fail, and so they must.
    const leaf = hashLeaf(Buffer.alloc(0));
    this.#tree.append(leaf);
    this.#segments.append(leaf);
    const location = { file: JOURNAL, line: this.#lines };
    if (what === 'too_long') {
      this.#break('CLY_LINE_TOO_LONG', `the line is longer than ${RECORD.bytesMax} bytes`, location);
    } else {
      this.#break('CLY_LINE_UNTERMINATED', 'no LF ends the line', location);
    }
  }

  result(): JournalResult {
    this.#segments.end();
    return {
      sha256: this.#hash.digest('hex'),
      size: this.#size,
      lines: this.#lines,
      root: this.#tree.root(),
      segments: this.#segments,
      unreadableLine: this.#unreadableLine,
    };
  }

  #break(code: string, message: string, location: { file: string; line?: number }): void {
    this.#unreadableLine ??= this.#lines;
    this.#failures.add({ claim: 'integrity', code, message, location });
  }
}
