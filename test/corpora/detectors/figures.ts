// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '@clyra/core/canonical/digest';
import type { CorpusFacts } from './corpus.ts';
import type { Found, Measured } from './measure-corpus.ts';

const FIGURES = join(import.meta.dirname, 'figures.json');
const KNOWN = join(import.meta.dirname, 'known-false-positives.json');

/** One row of docs/reference/detectors.md. */
export type Figure = CorpusFacts & { readonly texts: number; readonly strict: number; readonly any: number };

/** What is published: `make docs` makes the page of it. */
export type Figures = {
  readonly measured_on: string;
  /** Of the packs that were measured. */
  readonly pack_digest: Digest;
  readonly corpora: readonly Figure[];
};

/** A harmless text in which a strict pack is known to find something, and why that stays. */
export type KnownFalsePositive = Found & { readonly reason: string };

export const publishedFigures = (): Figures => JSON.parse(readFileSync(FIGURES, 'utf8')) as Figures;

export const knownFalsePositives = (): readonly KnownFalsePositive[] =>
  JSON.parse(readFileSync(KNOWN, 'utf8')) as readonly KnownFalsePositive[];

export function publish(figures: Figures): void {
  writeFileSync(FIGURES, `${JSON.stringify(figures, null, 2)}\n`);
}

export function figureOf({ falsePositives: _, ...figure }: Measured): Figure {
  return figure;
}
