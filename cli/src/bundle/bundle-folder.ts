// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DIGEST, type Digest, digestOf } from '@clyra/core/canonical/digest';
import { isJsonObject, type JsonObject } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { parseRecord, RECORD_BYTES_MAX } from '@clyra/core/canonical/record';
import { readInteger, readList, readObject, readText } from '@clyra/core/change/shape';
import { replacedLeaf } from '@clyra/core/evidence/export';
import { MANIFEST_BYTES_MAX } from '@clyra/core/evidence/manifest';
import { ClyraError } from '@clyra/core/kernel/error';
import { leafHash } from '@clyra/core/merkle/hash';

export type BundleLine = {
  /** In the tenant's log. */
  readonly leaf: number;
  /** Without its LF. */
  readonly bytes: Uint8Array;
  readonly record: JsonObject;
  /** Of the line, or of the one that it stands for in an export. */
  readonly hash: Digest;
  readonly isReplaced: boolean;
};

export type BundleHead = {
  readonly tenant: string;
  readonly origin: string;
  readonly range: { readonly start: number; readonly end: number };
  readonly root: Digest;
  readonly frontier: readonly Digest[];
};

const FORMAT = /^clyra\/(?:bundle|export)\/v0$/;

/** A bundle or an export in a folder, as commands read it. It judges nothing: that is the verifier's task. */
export class BundleFolder {
  readonly path: string;
  readonly manifest: JsonObject;
  readonly manifestDigest: Digest;
  readonly head: BundleHead;

  private constructor(path: string, bytes: Uint8Array) {
    this.path = path;
    const manifest = parseJson(bytes, { bytesMax: MANIFEST_BYTES_MAX, depthMax: 16, valuesMax: 1_000_000 });
    if (!isJsonObject(manifest)) throw notBundle(path, 'its manifest is no object');
    this.manifest = manifest;
    this.manifestDigest = digestOf(bytes);
    this.head = headOf(manifest);
  }

  /** Rejects with CLY_CLI_BUNDLE where the folder holds no bundle of this version. */
  static async open(path: string): Promise<BundleFolder> {
    const folder = resolve(path);
    try {
      return new BundleFolder(folder, await readFile(join(folder, 'manifest.json')));
    } catch (cause) {
      throw notBundle(folder, whyOf(cause), cause);
    }
  }

  get isExport(): boolean {
    return this.manifest['export'] !== undefined;
  }

  /** Rejects with CLY_CLI_BUNDLE. */
  async file(name: string): Promise<Buffer> {
    try {
      return await readFile(join(this.path, name));
    } catch (cause) {
      throw notBundle(this.path, `${name}: ${whyOf(cause)}`, cause);
    }
  }

  async size(name: string): Promise<number> {
    return (await stat(join(this.path, name))).size;
  }

  /** Every file, as a bundle names it, ascending. */
  async names(): Promise<readonly string[]> {
    const entries = await readdir(this.path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory());
    return files.map((entry) => join(entry.parentPath, entry.name).slice(this.path.length + 1)).sort();
  }

  /** The lines in order, in constant memory. Rejects with CLY_CLI_BUNDLE where one is no record. */
  async *lines(): AsyncGenerator<BundleLine> {
    let leaf = this.head.range.start;
    for await (const bytes of this.#rawLines()) {
      yield this.#line(bytes, leaf);
      leaf += 1;
    }
    if (leaf !== this.head.range.end) throw notBundle(this.path, 'the journal has another number of lines');
  }

  #line(bytes: Uint8Array, leaf: number): BundleLine {
    try {
      const record = parseRecord(bytes);
      const replaced = replacedLeaf(record);
      return { leaf, bytes, record, hash: replaced ?? leafHash(bytes), isReplaced: replaced !== undefined };
    } catch (cause) {
      throw notBundle(this.path, `line ${leaf - this.head.range.start + 1} is no record`, cause);
    }
  }

  async *#rawLines(): AsyncGenerator<Uint8Array> {
    let rest = Buffer.alloc(0);
    for await (const chunk of createReadStream(join(this.path, 'journal.jsonl'))) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      let from = 0;
      for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a, from)) {
        yield rest.subarray(from, end);
        from = end + 1;
      }
      rest = rest.subarray(from);
      if (rest.length > RECORD_BYTES_MAX) throw notBundle(this.path, 'a line is longer than a record');
    }
    if (rest.length > 0) throw notBundle(this.path, 'the last line has no end');
  }
}

function headOf(manifest: JsonObject): BundleHead {
  readText(manifest, 'format', FORMAT);
  const range = readObject(manifest, 'range');
  return {
    tenant: readText(manifest, 'tenant', /^.{1,63}$/),
    origin: readText(manifest, 'origin', /^\S{1,512}$/),
    range: { start: readInteger(range, 'start'), end: readInteger(range, 'end', 1) },
    root: readText(manifest, 'root', DIGEST),
    frontier: readList(manifest, 'frontier', 53) as readonly Digest[],
  };
}

export function notBundle(path: string, why: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_CLI_BUNDLE', `${path} cannot be used as a bundle (${why}): \`clyra verify\` says more`, {
    retry: 'never',
    context: { path },
    cause,
  });
}

function whyOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'no such file';
  return cause instanceof Error ? cause.message : String(cause);
}
