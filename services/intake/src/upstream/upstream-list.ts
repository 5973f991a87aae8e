// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { GRANTS_UPSTREAM } from '@clyra/core/policy/policy';

export type UpstreamAddress = { readonly name: string; readonly url: URL };

/** One entry of CLYRA_UPSTREAMS: `name=http://host:port`, or what is wrong with it. */
export function parseUpstream(entry: string): UpstreamAddress | string {
  const [, name, address] = /^([a-z0-9][a-z0-9-]{0,62})=(.+)$/.exec(entry) ?? [];
  if (name === undefined || address === undefined || !URL.canParse(address))
    return `${entry} is not name=http://host:port.`;
  if (name === GRANTS_UPSTREAM) return `${name} is intake itself; choose another name.`;
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `${name} is neither http:// nor https://.`;
  if (url.username !== '' || url.password !== '') return `${name} holds a password; let the caller send its own.`;
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return `${name} has a path; the request's is used.`;
  return { name, url };
}

export function upstreamListProblem(entries: readonly string[]): string | undefined {
  const parsed = entries.map(parseUpstream);
  const problem = parsed.find((one) => typeof one === 'string');
  if (problem !== undefined) return problem;
  const names = parsed.map((one) => (one as UpstreamAddress).name);
  return new Set(names).size === names.length ? undefined : 'names an upstream twice.';
}

/**
 * Link-local addresses are refused even if a name in the allowlist leads there: that is where clouds hand out
 * credentials to whoever asks. Throws CLY_UPSTREAM_ADDRESS.
 */
export function refuseLinkLocal(name: string, address: string): void {
  const plain = address.toLowerCase().replace(/^::ffff:/, '');
  if (!/^169\.254\./.test(plain) && !/^fe[89ab][0-9a-f]:/.test(plain) && plain !== 'fd00:ec2::254') return;
  throw new ClyraError(
    'CLY_UPSTREAM_ADDRESS',
    `upstream ${name} leads to the link-local address ${address}: correct it`,
    {
      retry: 'never',
      context: { upstream: name, address },
    },
  );
}
