// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { MemoryPositionStore } from '@clyra/testing/memory-position-store';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { describe, expect, it } from '@jest/globals';
import type { SavedActivity } from '../tenants/activity-ledger.ts';
import { type IntakePosition, loadPosition, type PartitionPosition } from './intake-position.ts';
import { type Known, PositionWriter } from './position-writer.ts';

const NAME = 'intake-1';

/** Tenants of two partitions, of which receipts are read. */
class Tenants {
  readonly #activity = new Map<string, SavedActivity>();
  readonly #next = [0, 0];

  hear(tenant: string, partition: number): void {
    const offset = this.#next[partition] ?? 0;
    this.#next[partition] = offset + 1;
    const known = this.#activity.get(tenant);
    this.#activity.set(tenant, {
      ...{ tenant, lastAtMs: offset, windowSinceMs: 0, windowNumber: 0, tickNumber: 0, open: [] },
      lastPosition: { partition, offset, tenantSeq: 0 },
      windowCount: (known?.windowCount ?? 0) + 1,
    });
  }

  get places(): readonly PartitionPosition[] {
    return this.#next.map((next) => ({ next_offset: next, last: null, next_change: next }));
  }

  get known(): Known {
    return {
      tenantCount: this.#activity.size,
      position: (partitions, since) => this.position(partitions, since),
    };
  }

  position(partitions = this.places, since: readonly PartitionPosition[] = []): IntakePosition {
    const activity = [...this.#activity.values()].filter(
      ({ lastPosition: { partition, offset } }) => offset >= (since[partition]?.next_change ?? 0),
    );
    const tenants = activity.map(({ tenant, windowCount: engine, lastPosition: { partition } }) => ({
      ...{ tenant, partition, engine, trust_root: '0'.repeat(64), delegations: [], policy: null, policySince: null },
      switches: [],
    }));
    const held = { held: [], used: [], emergencies: [] };
    return { v: 0, pinned: [], partitions, tenants, activity, resolved: [], held };
  }
}

/** What is written, by name; `fails` is asked before each writing, `lost` whether a writing that failed reached the disk. */
class FallibleStore extends MemoryPositionStore {
  readonly writes: { readonly name: string; readonly bytes: number }[] = [];
  fails: () => 'not written' | 'written' | undefined = () => undefined;

  override async save(name: string, position: object): Promise<void> {
    const failure = this.fails();
    if (failure !== 'not written') await super.save(name, position);
    this.writes.push({ name, bytes: JSON.stringify(position).length });
    if (failure !== undefined) throw new ClyraError('CLY_POSITION_UNWRITTEN', 'full', { retry: 'backoff' });
  }
}

function many(count: number): Tenants {
  const tenants = new Tenants();
  for (let index = 0; index < count; index += 1) tenants.hear(`tenant-${index}`, index % 2);
  return tenants;
}

/** A whole position and a recent one beside it. */
async function withRecent(): Promise<{ store: FallibleStore; tenants: Tenants; recent: string }> {
  const [store, tenants] = [new FallibleStore(), many(20)];
  const writer = new PositionWriter(store, NAME);
  await writer.save(tenants.places, tenants.known);
  tenants.hear('tenant-1', 1);
  await writer.save(tenants.places, tenants.known);
  return { store, tenants, recent: store.texts.get(`${NAME}.recent`) ?? '' };
}

describe('what is written of a position', () => {
  it('is nothing while the places in the log stand still', async () => {
    const [store, tenants] = [new FallibleStore(), many(10)];
    const writer = new PositionWriter(store, NAME);
    for (let count = 0; count < 5; count += 1) await writer.save(tenants.places, tenants.known);
    expect(store.writes).toHaveLength(1);
    tenants.hear('tenant-3', 1);
    for (let count = 0; count < 5; count += 1) await writer.save(tenants.places, tenants.known);
    expect(store.writes).toHaveLength(2);
  });

  it('are the tenants that were heard of, and not the thousands that were not', async () => {
    const [store, tenants] = [new FallibleStore(), many(5_000)];
    const writer = new PositionWriter(store, NAME);
    await writer.save(tenants.places, tenants.known);
    for (let count = 0; count < 100; count += 1) {
      tenants.hear(`tenant-${count % 3}`, (count % 3) % 2);
      await writer.save(tenants.places, tenants.known);
    }
    const [whole, ...recent] = store.writes;
    expect(Math.max(...recent.map(({ bytes }) => bytes)) * 500).toBeLessThan(whole?.bytes ?? 0);
    expect(await loadPosition(store, NAME)).toEqual(tenants.position());
  });

  it('is everything again once many were heard of', async () => {
    const [store, tenants] = [new FallibleStore(), many(100)];
    const writer = new PositionWriter(store, NAME);
    for (let count = 0; count < 60; count += 1) {
      await writer.save(tenants.places, tenants.known);
      tenants.hear(`tenant-${count}`, count % 2);
    }
    const names = store.writes.map(({ name }) => name);
    expect(names.map((name, index) => (name === NAME ? index : -1)).filter((index) => index >= 0)).toEqual([0, 26, 52]);
  });
});

describe('a position that is loaded', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'is one that was saved, whole, and the newest where nothing failed (seed %d)',
    async (seed) => {
      const random = new SeededRandom(seed);
      const below = (count: number): number => random.bytes(4).reduce((sum, byte) => sum * 256 + byte, 0) % count;
      const [store, tenants] = [new FallibleStore(), many(40)];
      let writer = new PositionWriter(store, NAME);
      const saved = new Map<string, IntakePosition>();
      let failed = false;
      store.fails = () => {
        const failure = (['not written', 'written', undefined, undefined, undefined] as const)[below(5)];
        failed = failure !== undefined;
        return failure;
      };
      for (let step = 0; step < 80; step += 1) {
        for (let heard = below(4); heard > 0; heard -= 1) {
          const index = below(below(10) === 0 ? 60 : 8);
          tenants.hear(`tenant-${index}`, index % 2);
        }
        saved.set(JSON.stringify(tenants.places), tenants.position());
        failed = false;
        await writer.save(tenants.places, tenants.known).catch(() => {});
        const loaded = await loadPosition(store, NAME);
        if (!failed) expect(loaded).toEqual(tenants.position());
        if (loaded !== undefined) expect(loaded).toEqual(saved.get(JSON.stringify(loaded.partitions)));
        // A start: what it does not know of the disk it writes anew.
        if (below(20) === 0) writer = new PositionWriter(store, NAME);
      }
    },
  );

  it('is not put together from two that do not belong together', async () => {
    const { store, tenants, recent } = await withRecent();
    tenants.hear('tenant-2', 0);
    const newer = tenants.position();
    await new PositionWriter(store, NAME).save(tenants.places, tenants.known);
    store.texts.set(`${NAME}.recent`, recent);
    expect(await loadPosition(store, NAME)).toEqual(newer);
    store.texts.set(`${NAME}.recent`, recent.replace('"pinned":[]', '"pinned":["other"]'));
    expect(await loadPosition(store, NAME)).toEqual(newer);
    store.texts.delete(NAME);
    expect(await loadPosition(store, NAME)).toBeUndefined();
  });

  it('of another version is refused, also where only the recent part is', async () => {
    const { store, recent } = await withRecent();
    store.texts.set(`${NAME}.recent`, recent.replace('"v":0', '"v":1'));
    await expect(loadPosition(store, NAME)).rejects.toMatchObject({ code: 'CLY_POSITION_FOREIGN' });
  });
});
