// SPDX-License-Identifier: Apache-2.0
import { History } from '@clyra/testing/history';
import { sealHistory } from '@clyra/testing/sealed-bundles';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { CompactRange } from '../merkle/compact-range.ts';
import { leafHash } from '../merkle/hash.ts';
import { afterBundle, bundleLeaf, FIRST_PLACE } from './bundle-log.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { readManifestHead } from './manifest.ts';

describe('the log of bundles', () => {
  it('has one leaf a bundle, and each bundle proves its place in it', async () => {
    const history = await new History().open();
    for (let count = 0; count < 5; count += 1) {
      await history.request();
      await history.closeWindow();
    }
    const bundles = await sealHistory(history);
    const tree = new CompactRange();
    for (const [number, { files, envelope }] of bundles.entries()) {
      const head = readManifestHead(files.get('manifest.json') ?? new Uint8Array());
      expect(head.bundle_log).toEqual({ number, frontier: tree.roots });
      const { origin, range, root } = head;
      tree.append(leafHash(bundleLeaf({ manifest: envelope.manifest_digest, origin, range, root })));
      expect(parseCheckpoint(files.get('bundle-log.checkpoint') ?? new Uint8Array())).toEqual({
        origin: `${origin}/bundles`,
        size: number + 1,
        root: tree.root(),
      });
    }
    expect(bundles.length).toBe(5);
  });

  it('tells two bundles of one range apart', () => {
    const leaf = { manifest: digestOf('one'), origin: 'log/acme', range: { start: 0, end: 4 }, root: digestOf('root') };
    const other = afterBundle(FIRST_PLACE, { ...leaf, manifest: digestOf('other') });
    expect(other.root).not.toBe(afterBundle(FIRST_PLACE, leaf).root);
  });
});
