// SPDX-License-Identifier: Apache-2.0
import type { ListedArtifact } from '../documents/manifest-parts.ts';
import { readDocumentMention } from '../journal/bodies.ts';
import type { DecidedLine, ObservedLine } from '../journal/line.ts';
import { ShapeError } from '../json/shape.ts';

/** Counts the documents that lines name, and how many of them the bundle holds (bundle.md §3, §4). */
export class DocumentCheck {
  named = 0;
  held = 0;
  readonly #documents: ReadonlyMap<string, ListedArtifact>;
  readonly #mentioned: Set<string> = new Set();

  constructor(artifacts: readonly ListedArtifact[]) {
    const documents = artifacts.filter(({ kind }) => kind === 'document');
    this.#documents = new Map(documents.map((artifact) => [artifact.sha256, artifact]));
  }

  /** Whether a line named the document. */
  isMentioned(sha256: string): boolean {
    return this.#mentioned.has(sha256);
  }

  decided(line: DecidedLine): void {
    const { documents } = line.change.value;
    for (const entry of Array.isArray(documents) ? documents : []) {
      try {
        this.#mention(readDocumentMention(entry, ''));
      } catch (error) {
        if (!(error instanceof ShapeError)) {
          throw error;
        }
        // What is no mention names nothing.
      }
    }
  }

  observed({ observed }: ObservedLine): void {
    if (observed?.of === 'document') {
      this.#mention(observed.body);
    }
  }

  #mention({ sha256, size }: { readonly sha256: string; readonly size: number }): void {
    this.named += 1;
    if (this.#documents.get(sha256)?.size === size) {
      this.held += 1;
      this.#mentioned.add(sha256);
    }
  }
}
