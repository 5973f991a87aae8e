// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { DIGEST, type Digest, digestOf } from '@clyra/core/canonical/digest';
import { isJsonObject } from '@clyra/core/canonical/json-value';
import type { ArtifactNeed, Artifacts } from '@clyra/core/enforcement/artifacts';
import { stateDigestOf } from '@clyra/core/evidence/state-artifact';
import { ClyraError } from '@clyra/core/kernel/error';
import { loadPolicy } from '@clyra/core/policy/load-policy';
import type { Policy } from '@clyra/core/policy/policy';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import { readIfThere } from '@clyra/runtime/whole-file';
import type { BundleFolder } from '../bundle/bundle-folder.ts';

/** Bodies as intake keeps them, by the digest that a change names. */
export interface BodySource {
  get(body: { readonly tenant: string; readonly digest: Digest }): Promise<Uint8Array | undefined>;
}

const BESIDE: Readonly<Record<ArtifactNeed['kind'], string>> = { policy: 'policies', trust_root: 'trust-roots' };

/**
 * What a replay needs beyond the lines, by digest: from the bundle, or from a folder beside it (flat by digest, or a
 * blob store). What is damaged is not used, as if it were not there. What came from outside the bundle is remembered.
 */
export class DocumentShelf implements Artifacts {
  readonly #beside: string | undefined;
  readonly #bodies: BodySource | undefined;
  readonly #policies = new Map<Digest, Policy>();
  readonly #roots: ReadonlyMap<Digest, TrustRoot>;
  readonly #outside = new Set<Digest>();

  constructor(roots: readonly TrustRoot[], beside?: string, bodies?: BodySource) {
    this.#roots = new Map(roots.map((root) => [root.digest, root]));
    this.#beside = beside;
    this.#bodies = bodies;
  }

  /** Reads trust roots and remembers nothing else yet. Throws CLY_TRUST_ROOT_INVALID. */
  static async open(files: readonly string[], beside?: string): Promise<DocumentShelf> {
    const roots: TrustRoot[] = [];
    for (const file of files) {
      const bytes = await readIfThere(file);
      if (bytes !== undefined) roots.push(parseTrustRoot(bytes));
    }
    return new DocumentShelf(roots, beside);
  }

  policy(digest: Digest): Policy | undefined {
    return this.#policies.get(digest);
  }

  trustRoot(digest: Digest): TrustRoot | undefined {
    const root = this.#roots.get(digest);
    if (root !== undefined) this.#outside.add(digest);
    return root;
  }

  /** Digests of the documents that came from outside a bundle and were asked for. */
  get outside(): ReadonlySet<Digest> {
    return this.#outside;
  }

  /** Makes the policies that a bundle needs ready. */
  async loadPolicies(bundle: BundleFolder, digests: Iterable<Digest>): Promise<void> {
    for (const digest of digests) {
      if (this.#policies.has(digest)) continue;
      const bytes = await this.content(bundle, digest, BESIDE.policy);
      if (bytes !== undefined) this.#keep(digest, bytes);
    }
  }

  #keep(digest: Digest, bytes: Uint8Array): void {
    try {
      this.#policies.set(digest, loadPolicy(bytes, digest).policy);
    } catch (error) {
      // A document that is no policy was refused when it was named; whoever asks for it finds none.
      if (!(error instanceof ClyraError)) throw error;
    }
  }

  /** The content of that digest: of the bundle, or from beside it. */
  async content(bundle: BundleFolder, digest: Digest, kind: string): Promise<Buffer | undefined> {
    const own = await readIfThere(join(bundle.path, 'artifacts', digest));
    if (own !== undefined && digestOf(own) === digest) return own;
    for (const name of [digest, join('artifacts', digest), join(kind, digest)]) {
      const bytes = this.#beside === undefined ? undefined : await readIfThere(join(this.#beside, name));
      if (bytes === undefined || digestOf(bytes) !== digest) continue;
      this.#outside.add(digest);
      return bytes;
    }
    return undefined;
  }

  /** What a caller sent: from the bundle, beside it, or where intake stored it. */
  async body(bundle: BundleFolder, digest: Digest): Promise<Uint8Array | undefined> {
    const found = await this.content(bundle, digest, 'bodies');
    if (found !== undefined) return found;
    const stored = await this.#bodies?.get({ tenant: bundle.head.tenant, digest });
    if (stored !== undefined) this.#outside.add(digest);
    return stored;
  }

  /** The state artifact whose state has that digest. */
  async state(bundle: BundleFolder, stateDigest: Digest): Promise<Buffer | undefined> {
    for (const digest of artifactsOfKind(bundle, 'state')) {
      const bytes = await this.content(bundle, digest, 'states');
      if (bytes !== undefined && isStateOf(bytes, stateDigest)) return bytes;
    }
    const stored =
      this.#beside === undefined ? undefined : await readIfThere(join(this.#beside, 'states', stateDigest));
    if (stored === undefined || !isStateOf(stored, stateDigest)) return undefined;
    this.#outside.add(digestOf(stored));
    return stored;
  }
}

export function artifactsOfKind({ manifest }: BundleFolder, kind: string): readonly Digest[] {
  const list = Array.isArray(manifest['artifacts']) ? manifest['artifacts'] : [];
  return list.flatMap((entry) => {
    const digest = isJsonObject(entry) && entry['kind'] === kind ? entry['sha256'] : undefined;
    return typeof digest === 'string' && DIGEST.test(digest) ? [digest] : [];
  });
}

function isStateOf(bytes: Uint8Array, digest: Digest): boolean {
  try {
    return stateDigestOf(bytes) === digest;
  } catch (error) {
    if (error instanceof ClyraError) return false;
    throw error;
  }
}
