// SPDX-License-Identifier: Apache-2.0
/** Blob names of what the bundler and the attestor write. Numbers are padded so that names sort as ranges do. */
export type Range = { readonly start: number; readonly end: number };

const WIDTH = 12;

function padded(leaf: number): string {
  return String(leaf).padStart(WIDTH, '0');
}

function rangeName({ start, end }: Range): string {
  return `${padded(start)}-${padded(end)}`;
}

export function bundleLocation(tenant: string, range: Range): string {
  return `bundles/${tenant}/${rangeName(range)}`;
}

export function checkpointName(tenant: string, end: number): string {
  return `checkpoints/${tenant}/${padded(end)}`;
}

/** Undefined for a name that no bundler wrote. */
export function parseCheckpointName(name: string): { readonly tenant: string; readonly end: number } | undefined {
  const [, tenant, end] = /^checkpoints\/([^/]+)\/([0-9]{12,16})$/.exec(name) ?? [];
  return tenant === undefined || end === undefined ? undefined : { tenant, end: Number(end) };
}

export function attestationName(tenant: string, range: Range): string {
  return `attestations/${tenant}/${rangeName(range)}.dsse.json`;
}

/** Undefined for a name that no attestor wrote. */
export function parseAttestationName(name: string): { readonly tenant: string; readonly end: number } | undefined {
  const [, tenant, end] = /^attestations\/([^/]+)\/[0-9]{12,16}-([0-9]{12,16})\.dsse\.json$/.exec(name) ?? [];
  return tenant === undefined || end === undefined ? undefined : { tenant, end: Number(end) };
}
