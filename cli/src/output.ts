// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '@clyra/core/canonical/json-value';

export type TextStream = { write(text: string): unknown; readonly isTTY?: boolean };

export type OutputOptions = { readonly stdout: TextStream; readonly stderr: TextStream; readonly json: boolean };

/**
 * Where a command says what it found. For people: text on standard output, progress on standard error. With --json:
 * one JSON value on standard output and nothing else there, so that it can be piped.
 */
export class Output {
  readonly #options: OutputOptions;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  get json(): boolean {
    return this.#options.json;
  }

  /** The same, but results are shown as progress: for a command that is one step of another. */
  progressOnly(): Output {
    return new Output({ ...this.#options, stdout: { write: (text) => this.progress(indented(text)) }, json: false });
  }

  /** One step of a long work, as it happens. */
  progress(text: string): void {
    this.#options.stderr.write(`${text}\n`);
  }

  /** The result, once: `value` for machines, `text` for people. */
  result(value: JsonValue, text: string): void {
    const shown = this.#options.json ? JSON.stringify(value, undefined, 2) : text;
    this.#options.stdout.write(shown.endsWith('\n') ? shown : `${shown}\n`);
  }

  /** An error is for people on standard error, and with --json an object there too. */
  failure(error: { readonly code: string; readonly message: string }): void {
    const value: JsonObject = { error: error.code, message: error.message };
    const text = this.#options.json ? JSON.stringify(value) : `✗ ${error.message}\n  (${error.code})`;
    this.#options.stderr.write(`${text}\n`);
  }
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
