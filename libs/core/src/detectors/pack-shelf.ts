// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { type Digest, digestOf } from '../canonical/digest.ts';
import type { JsonValue } from '../canonical/json-value.ts';
import { ClyraError } from '../kernel/error.ts';
import { DetectorEngine } from './detector-engine.ts';
import { type DetectorPack, readDetectorPack } from './detector-pack.ts';

/** All packs of an installation; engines are made once for each choice of packs. */
export class PackShelf {
  /** Of all packs together, so that a receipt tells with which rules was looked. */
  readonly digest: Digest;
  readonly #packs = new Map<string, DetectorPack>();
  readonly #engines = new Map<string, DetectorEngine>();

  /** Throws CLY_DETECTOR_PACK for a document that is no pack, and for a name that two of them have. */
  constructor(documents: readonly JsonValue[]) {
    for (const document of documents) {
      const pack = readDetectorPack(document);
      if (this.#packs.has(pack.name)) {
        throw new ClyraError('CLY_DETECTOR_PACK', `two detector packs have the name ${pack.name}`, { retry: 'never' });
      }
      this.#packs.set(pack.name, pack);
    }
    const digests = documents.map((document) => digestOf(canonicalJson(document))).sort();
    this.digest = digestOf(digests.join('\n'));
  }

  /** undefined if a pack is not there: what cannot be looked for must not count as not found. */
  engine(names: readonly string[]): DetectorEngine | undefined {
    const key = [...new Set(names)].sort().join('\n');
    const known = this.#engines.get(key);
    if (known !== undefined) return known;
    const packs = key.split('\n').map((name) => this.#packs.get(name));
    if (packs.includes(undefined)) return undefined;
    const engine = new DetectorEngine(packs as DetectorPack[]);
    if (this.#engines.size >= ENGINES_MAX) this.#engines.clear();
    this.#engines.set(key, engine);
    return engine;
  }
}

const ENGINES_MAX = 64;
