// SPDX-License-Identifier: Apache-2.0
/**
 * What can be wrong with a data folder, and what to do then. A fault contradicts a claim of the folder; a note is
 * something to know that contradicts nothing.
 */
const FINDINGS = {
  CLY_FSCK_EMPTY: ['fault', 'name the folder that holds the blobs; if it is this one, restore it from a copy'],
  CLY_FSCK_STRAY: ['fault', 'nothing of Clyra writes it: find out who put it there, then move it away'],
  CLY_FSCK_BLOB_DIGEST: ['fault', 'its bytes are not those that its name promises: restore it from a copy'],
  CLY_FSCK_BUNDLE: ['fault', 'run `clyra verify` on it for the place; restore it from a copy, never repair it'],
  CLY_FSCK_BUNDLE_NAME: [
    'fault',
    'the folder is named after another range or tenant than its manifest: restore it under its own name',
  ],
  CLY_FSCK_UNFINISHED: ['note', 'start the bundler: it finishes a bundle that a crash left without its envelope'],
  CLY_FSCK_GAP: ['fault', 'a bundle is gone: restore it, the log cannot be shown without it'],
  CLY_FSCK_OVERLAP: ['fault', 'two bundles hold the same leaves: find out which one the checkpoints lead to'],
  CLY_FSCK_CHAIN: [
    'fault',
    'the bundle does not follow from the one before it: compare both with a copy kept elsewhere',
  ],
  CLY_FSCK_CHECKPOINT: [
    'fault',
    'the checkpoint says something else than the bundle: compare both with what witnesses have seen',
  ],
  CLY_FSCK_CHECKPOINT_MISSING: ['fault', 'restore the checkpoint; a copy of it stands in the bundle'],
  CLY_FSCK_CHECKPOINT_ALONE: ['fault', 'its bundle is gone: restore it'],
  CLY_FSCK_MARK: [
    'fault',
    'somebody outside vouched for the checkpoint and the file is gone: restore it, or remove the mark to ask again',
  ],
  CLY_FSCK_ATTESTATION: ['fault', 'it speaks of no bundle that stands here: restore the bundle'],
  CLY_FSCK_TILES: ['fault', 'write the tiles again with `clyra export tiles`'],
  CLY_FSCK_EXPORT: ['fault', 'make the export again from its bundle, and tell whoever has this one'],
  CLY_FSCK_LEFTOVER: ['note', 'may be deleted while nothing writes to the folder'],
  CLY_FSCK_COVERAGE: ['note', 'the bundle is honest, a source did not see everything: see `clyra inspect`'],
  CLY_FSCK_NO_TRUST_ROOT: ['note', 'signatures were not judged: name the trust root with --trust-root'],
} as const satisfies Record<string, readonly ['fault' | 'note', string]>;

type FindingCode = keyof typeof FINDINGS;

export type Finding = {
  readonly level: 'fault' | 'note';
  readonly code: FindingCode;
  /** From the folder that was checked; of a view its own path. */
  readonly path: string;
  readonly what: string;
  readonly next: string;
};

/** Collects what was found, in the order in which it was found. */
export class Findings {
  readonly #found: Finding[] = [];

  add(code: FindingCode, path: string, what: string): void {
    const [level, next] = FINDINGS[code];
    this.#found.push({ level, code, path, what, next });
  }

  get all(): readonly Finding[] {
    return this.#found;
  }

  get faults(): number {
    return this.#found.filter(({ level }) => level === 'fault').length;
  }
}
