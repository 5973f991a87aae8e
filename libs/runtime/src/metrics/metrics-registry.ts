// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(amount?: number, labels?: Labels): void;
}
export interface Gauge {
  set(value: number, labels?: Labels): void;
}
export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

/** Milliseconds: fine where a gateway's latency lies, coarse up to the longest deadline. */
export const LATENCY_BUCKETS_MS = [0.5, 1, 2, 3, 5, 8, 12, 20, 35, 60, 100, 200, 500, 1_000, 2_500, 10_000];

/** Labels must not come from input: beyond this many, all further label sets share one series that says so. */
const SERIES_MAX = 512;
const OVERFLOW = '{overflow="true"}';
const NAME = /^[a-z][a-z0-9_]*$/;

type Kind = 'counter' | 'gauge' | 'histogram';
type Series = { value: number; sum: number; buckets: number[] };
type Family = {
  readonly name: string;
  readonly help: string;
  readonly kind: Kind;
  readonly limits: readonly number[];
  readonly series: Map<string, Series>;
};

/** A service's own figures, shown at /metrics in the Prometheus text format 0.0.4. */
export class MetricsRegistry {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string): Counter {
    const family = this.#family('counter', { name, help });
    return {
      add: (amount = 1, labels = {}) => {
        assert(amount >= 0, `${name} only rises`);
        seriesOf(family, labels).value += amount;
      },
    };
  }

  gauge(name: string, help: string): Gauge {
    const family = this.#family('gauge', { name, help });
    return {
      set: (value, labels = {}) => {
        seriesOf(family, labels).value = value;
      },
    };
  }

  /** `limits` are the upper bounds of the buckets, ascending, in the unit that the name ends in. */
  histogram(name: string, help: string, limits: readonly number[] = LATENCY_BUCKETS_MS): Histogram {
    const family = this.#family('histogram', { name, help, limits });
    return { observe: (value, labels = {}) => observe(seriesOf(family, labels), value, limits) };
  }

  /** Prometheus text format. */
  text(): string {
    return [...this.#families.values()].map(familyText).join('');
  }

  #family(kind: Kind, order: { name: string; help: string; limits?: readonly number[] }): Family {
    const { name, help, limits = [] } = order;
    assert(NAME.test(name), `${name} is not a metric name`);
    assert(!this.#families.has(name), `${name} is registered twice`);
    const family: Family = { name, help, kind, limits, series: new Map() };
    this.#families.set(name, family);
    return family;
  }
}

function seriesOf(family: Family, labels: Labels): Series {
  const wanted = labelText(labels);
  const known = family.series.get(wanted);
  if (known !== undefined) return known;
  const key = family.series.size < SERIES_MAX ? wanted : OVERFLOW;
  const series = family.series.get(key) ?? { value: 0, sum: 0, buckets: family.limits.map(() => 0) };
  family.series.set(key, series);
  return series;
}

function observe(series: Series, value: number, limits: readonly number[]): void {
  series.value += 1;
  series.sum += value;
  const index = limits.findIndex((limit) => value <= limit);
  if (index >= 0) series.buckets[index] = (series.buckets[index] ?? 0) + 1;
}

function labelText(labels: Labels): string {
  const names = Object.keys(labels).toSorted();
  if (names.length === 0) return '';
  return `{${names.map((name) => `${name}="${escaped(labels[name] ?? '')}"`).join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function familyText(family: Family): string {
  const lines = [`# HELP ${family.name} ${family.help.replaceAll('\n', ' ')}`, `# TYPE ${family.name} ${family.kind}`];
  for (const [labels, series] of family.series) {
    if (family.kind === 'histogram') lines.push(...histogramLines(family, labels, series));
    else lines.push(`${family.name}${labels} ${series.value}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Buckets are cumulative in the text, and `+Inf` repeats the count. */
function histogramLines({ name, limits }: Family, labels: string, series: Series): string[] {
  const opening = labels === '' ? '{' : `${labels.slice(0, -1)},`;
  const withLimit = (limit: string): string => `${opening}le="${limit}"}`;
  let total = 0;
  const lines = limits.map((limit, index) => {
    total += series.buckets[index] ?? 0;
    return `${name}_bucket${withLimit(String(limit))} ${total}`;
  });
  lines.push(`${name}_bucket${withLimit('+Inf')} ${series.value}`);
  lines.push(`${name}_sum${labels} ${series.sum}`, `${name}_count${labels} ${series.value}`);
  return lines;
}
