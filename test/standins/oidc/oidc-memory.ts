// SPDX-License-Identifier: Apache-2.0
type Payload = Record<string, unknown> & { uid?: string; grantId?: string; consumed?: number };
type Kept = { readonly payload: Payload; readonly untilMs: number };

/** What the server remembers, in one map for each server: for as long as a test takes. */
export function oidcMemory(): new (model: string) => object {
  const kept = new Map<string, Kept>();
  return class {
    readonly #model: string;

    constructor(model: string) {
      this.#model = model;
    }

    async upsert(id: string, payload: Payload, expiresIn: number): Promise<void> {
      kept.set(`${this.#model}:${id}`, { payload, untilMs: Date.now() + expiresIn * 1_000 });
    }

    async find(id: string): Promise<Payload | undefined> {
      const found = kept.get(`${this.#model}:${id}`);
      return found === undefined || found.untilMs <= Date.now() ? undefined : found.payload;
    }

    async findByUid(uid: string): Promise<Payload | undefined> {
      const mine = [...kept].filter(([key]) => key.startsWith(`${this.#model}:`));
      return mine.find(([, { payload }]) => payload.uid === uid)?.[1].payload;
    }

    async consume(id: string): Promise<void> {
      const found = kept.get(`${this.#model}:${id}`);
      if (found !== undefined) found.payload.consumed = Math.floor(Date.now() / 1_000);
    }

    async destroy(id: string): Promise<void> {
      kept.delete(`${this.#model}:${id}`);
    }

    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, { payload }] of kept) if (payload.grantId === grantId) kept.delete(key);
    }
  };
}
