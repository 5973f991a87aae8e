// SPDX-License-Identifier: Apache-2.0
import type { SourceStatus } from './source-figures.ts';

/** Member names as in `GET /v1/horizons`. */
export type TenantHorizon = {
  readonly tenant: string;
  /** Until when (ms, the sources' clocks) every source of the tenant has told everything; null where one never has. */
  readonly horizon: number | null;
  readonly sources: readonly { readonly source_id: string; readonly covers_until: number | null }[];
};

/** Nothing is claimed beyond the horizon: what happens after it may still appear in the log. */
export function horizonsOf(sources: readonly SourceStatus[]): readonly TenantHorizon[] {
  const tenants = [...new Set(sources.map(({ tenant }) => tenant))];
  return tenants.map((tenant) => {
    const own = sources.filter((source) => source.tenant === tenant);
    const known = own.flatMap(({ covers_until: until }) => until ?? []);
    return {
      tenant,
      horizon: known.length === own.length && known.length > 0 ? Math.min(...known) : null,
      sources: own.map(({ source_id, covers_until }) => ({ source_id, covers_until })),
    };
  });
}
