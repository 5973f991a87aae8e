// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import type { Mode } from '../checks/signature-check.ts';
import type { Manifest } from '../documents/manifest.ts';
import { CompactRange } from '../hash/compact-range.ts';
import { hashLeafLatin1 } from '../hash/tree.ts';
import { RECORD } from '../json/parse.ts';
import { describeParseError, type Failures } from '../report/failures.ts';
import { JOURNAL } from '../source/bundle-names.ts';
import type { OpenFile } from '../source/bundle-source.ts';
import { type JournalLine, parseExportLine, parseLine, type ReplacedLine } from './line.ts';
import { type LineSink, readLines } from './line-reader.ts';
import type { LineUse } from './plain-line.ts';
import { Segments } from './segments.ts';

export interface JournalResult {
  /** Null in `head` mode, where the root says the same of the same bytes. */
  readonly sha256: string | null;
  readonly size: number;
  readonly lines: number;
  readonly root: Buffer;
  readonly segments: Segments;
  /** The first line that is no line of the format: the lines are judged up to it. */
  readonly unreadableLine: number | null;
}

/** What judges lines, one after the other. */
export interface LineJudge {
  step(line: JournalLine | ReplacedLine): void;
}

export interface JournalTask {
  readonly manifest: Manifest;
  readonly mode: Mode;
  readonly use: LineUse;
  readonly failures: Failures;
}

/** Streams the journal once: digests, tree, segments, grammar, and (without a broken line before) the judge. */
export async function verifyJournal(
  file: OpenFile,
  given: JournalTask,
  judge: LineJudge | null,
): Promise<JournalResult> {
  const reading = new Reading(given, judge);
  await readLines(file, RECORD.bytesMax, reading);
  return reading.result();
}

class Reading implements LineSink {
  readonly #use: LineUse;
  readonly #hash: Hash | null;
  readonly #start: number;
  readonly #isExport: boolean;
  readonly #tree: CompactRange;
  readonly #segments: Segments;
  readonly #judge: LineJudge | null;
  readonly #failures: Failures;
  #size = 0;
  #lines = 0;
  #unreadableLine: number | null = null;

  constructor({ manifest, mode, use, failures }: JournalTask, judge: LineJudge | null) {
    this.#hash = mode === 'head' ? null : createHash('sha256');
    this.#use = use;
    this.#start = manifest.range.start;
    this.#isExport = manifest.export !== undefined;
    const frontier = manifest.frontier.map((hex) => Buffer.from(hex, 'hex'));
    this.#tree = new CompactRange(manifest.range.start, frontier);
    this.#segments = new Segments(manifest.journal.segments, manifest.journal.segment_lines);
    this.#judge = judge;
    this.#failures = failures;
  }

  onBytes(bytes: Buffer): void {
    this.#hash?.update(bytes);
    this.#size += bytes.length;
  }

  onLine(bytes: Buffer): void {
    this.#lines += 1;
    const at = { line: this.#lines, leaf: this.#start + this.#lines - 1 };
    let line: JournalLine | ReplacedLine | null = null;
    if (this.#unreadableLine === null) {
      try {
        line = this.#isExport ? parseExportLine(bytes, at, this.#use) : parseLine(bytes, at, this.#use);
      } catch (error) {
        const place = { file: JOURNAL, line: at.line };
        const { code, message, location } = describeParseError(error, 'CLY_LINE_SHAPE', place);
        this.#break(code, message, location);
      }
    }
    // After a broken line an export's replaced lines are still leaves of their own.
    const replaced = line?.kind === 'replaced' ? line.leafHash : this.#replacedAfterBreak(bytes, at);
    const leaf = replaced === null ? hashLeafLatin1(bytes) : replaced.toString('latin1');
    this.#append(leaf);
    if (line !== null) {
      this.#judge?.step(line);
    }
  }

  onBroken(what: 'too_long' | 'unterminated'): void {
    this.#lines += 1;
    // Its bytes are not kept, so it stands in the trees as an empty leaf: the roots fail, and so they must.
    const leaf = hashLeafLatin1(Buffer.alloc(0));
    this.#append(leaf);
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
      sha256: this.#hash?.digest('hex') ?? null,
      size: this.#size,
      lines: this.#lines,
      root: this.#tree.root(),
      segments: this.#segments,
      unreadableLine: this.#unreadableLine,
    };
  }

  #append(leaf: string): void {
    this.#tree.append(leaf);
    if (this.#hash !== null) {
      this.#segments.append(leaf);
    }
  }

  #replacedAfterBreak(bytes: Buffer, at: { line: number; leaf: number }): Buffer | null {
    if (!this.#isExport || this.#unreadableLine === null) {
      return null;
    }
    try {
      const line = parseExportLine(bytes, at, this.#use);
      return line.kind === 'replaced' ? line.leafHash : null;
    } catch {
      return null;
    }
  }

  #break(code: string, message: string, location: { file: string; line?: number }): void {
    if (this.#unreadableLine === null) {
      this.#unreadableLine = this.#lines;
      this.#failures.add({ claim: 'integrity', code, message, location });
    }
  }
}
