// SPDX-License-Identifier: Apache-2.0
import { JsonError } from '@clyra/core/canonical/json-error';
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { TENANT } from '@clyra/core/change/shape';
import { ClyraError } from '@clyra/core/kernel/error';
import { readOwnerFile } from '@clyra/runtime/owner-file';

/** Who may vouch for people at the human door, and for which tenants. */
export type ProviderSettings = {
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** `idp_domain` of certificates: the policy lists which it accepts. */
  readonly domain: string;
  /** Tenants whose changes its people may see; `*` is all. */
  readonly tenants: readonly string[];
  /** A claim that the token must have, or hold in its list: who is an approver at all. */
  readonly require: { readonly claim: string; readonly value: string } | undefined;
  /** Asked for when something is approved. */
  readonly acrValues: string | undefined;
  /** RFC 8176 methods that an `acr` of this provider stands for. */
  readonly acrMethods: Readonly<Record<string, readonly string[]>>;
};

export type IdentitySettings = { readonly publicUrl: string; readonly providers: readonly ProviderSettings[] };

const LIMITS = { bytesMax: 262_144, depthMax: 6, valuesMax: 2_000 };
const PROVIDERS_MAX = 16;
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
const TEXT = /^[^\u0000-\u001f\u007f]{1,512}$/;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/;
const METHOD = /^[a-z0-9_-]{1,32}$/;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const MEMBERS = [
  'name',
  'title',
  'issuer',
  'client_id',
  'client_secret',
  'domain',
  'tenants',
  'require',
  'acr_values',
  'acr_methods',
];

/** Rejects with CLY_IDENTITY_INVALID for a file that is absent, readable by others, or malformed; it names the place. */
export async function readIdentityFile(path: string): Promise<IdentitySettings> {
  const advice = 'set CLYRA_IDENTITY_FILE';
  const bytes = await readOwnerFile(path, { advice, invalid: (what, cause) => invalid(`${path} ${what}`, cause) });
  return parseIdentity(bytes);
}

export function parseIdentity(bytes: Uint8Array): IdentitySettings {
  const document = parse(bytes);
  const { public_url: publicUrl, providers } = document;
  only(document, ['public_url', 'providers'], 'the file');
  if (!Array.isArray(providers) || providers.length === 0 || providers.length > PROVIDERS_MAX) {
    throw invalid(`providers is no list of 1 to ${PROVIDERS_MAX}`);
  }
  const read = (providers as readonly JsonValue[]).map(readProvider);
  for (const [what, values] of [
    ['name', read.map(({ name }) => name)],
    ['domain', read.map(({ domain }) => domain)],
  ] as const) {
    const twice = values.find((value, index) => values.indexOf(value) !== index);
    if (twice !== undefined) throw invalid(`two providers have the ${what} ${twice}`);
  }
  return { publicUrl: secureUrl(publicUrl, 'public_url').origin, providers: read };
}

function readProvider(value: JsonValue, index: number): ProviderSettings {
  const place = `providers[${index}]`;
  if (!isJsonObject(value)) throw invalid(`${place} is no object`);
  only(value, MEMBERS, place);
  const issuer = secureUrl(value['issuer'], `${place}.issuer`);
  const name = text(value, 'name', { pattern: NAME, place });
  return {
    name,
    title: optional(value, 'title', { pattern: TEXT, place }) ?? name,
    // Compared byte by byte with the token's `iss`: as it stands, not as a URL would be written.
    issuer: String(value['issuer']),
    clientId: text(value, 'client_id', { pattern: TEXT, place }),
    clientSecret: optional(value, 'client_secret', { pattern: TEXT, place }),
    domain: optional(value, 'domain', { pattern: DOMAIN, place }) ?? issuer.hostname.toLowerCase(),
    tenants: readTenants(value['tenants'], place),
    require: readRequire(value['require'], place),
    acrValues: optional(value, 'acr_values', { pattern: TEXT, place }),
    acrMethods: readMethods(value['acr_methods'], place),
  };
}

function readTenants(value: JsonValue | undefined, place: string): readonly string[] {
  const tenants = value as readonly JsonValue[];
  const known = (one: JsonValue): boolean => typeof one === 'string' && (one === '*' || TENANT.test(one));
  if (Array.isArray(value) && tenants.length > 0 && tenants.every(known)) return tenants as readonly string[];
  throw invalid(`${place}.tenants is no list of tenants or "*"`);
}

function readRequire(value: JsonValue | undefined, place: string): ProviderSettings['require'] {
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) throw invalid(`${place}.require is no object {claim, value}`);
  only(value, ['claim', 'value'], `${place}.require`);
  const at = { pattern: TEXT, place: `${place}.require` };
  return { claim: text(value, 'claim', at), value: text(value, 'value', at) };
}

function readMethods(value: JsonValue | undefined, place: string): ProviderSettings['acrMethods'] {
  if (value === undefined) return {};
  const isList = (methods: JsonValue | undefined): boolean =>
    Array.isArray(methods) && methods.every((method) => typeof method === 'string' && METHOD.test(method));
  if (isJsonObject(value) && Object.values(value).every(isList))
    return value as unknown as ProviderSettings['acrMethods'];
  throw invalid(`${place}.acr_methods is no object of lists of RFC 8176 methods`);
}

/** Codes, tokens and sessions travel there: in the clear only where no network is between. */
function secureUrl(value: JsonValue | undefined, place: string): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
  if (url === undefined || !isSecure || url.username !== '' || url.hash !== '' || url.search !== '') {
    throw invalid(`${place} is no https address (http is for this machine only)`);
  }
  if (place === 'public_url' && url.pathname !== '/')
    throw invalid('public_url has a path: give the door a host of its own');
  return url;
}

function parse(bytes: Uint8Array): JsonObject {
  try {
    const document = parseJson(bytes, LIMITS);
    if (isJsonObject(document)) return document;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw invalid(`it is no acceptable JSON (${error.code}, ${error.message})`, error);
  }
  throw invalid('write {"public_url": …, "providers": […]}');
}

function only(object: JsonObject, members: readonly string[], place: string): void {
  const unknown = Object.keys(object).find((name) => !members.includes(name));
  if (unknown !== undefined)
    throw invalid(`${place} has an unknown member ${unknown}; known are ${members.join(', ')}`);
}

type At = { readonly pattern: RegExp; readonly place: string };

function optional(object: JsonObject, name: string, at: At): string | undefined {
  return object[name] === undefined ? undefined : text(object, name, at);
}

function text(object: JsonObject, name: string, { pattern, place }: At): string {
  const value = object[name];
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw invalid(`${place}.${name} is not what it should be (${pattern.source})`);
}

function invalid(what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_IDENTITY_INVALID', `correct the identity file: ${what}`, { retry: 'never', cause });
}
