// SPDX-License-Identifier: Apache-2.0
import { JsonError } from '@clyra/core/canonical/json-error';
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { ID, TENANT } from '@clyra/core/change/shape';
import { type DeliverySource, proofFault, standardIds } from '@clyra/core/inspection/activation/delivery-source';
import { ClyraError } from '@clyra/core/kernel/error';
import { ADAPTERS, type AdapterKind } from '@clyra/core/policy/adapters';
import { readOwnerFile } from '@clyra/runtime/owner-file';
import { onlyMembers, readHeaders, readPointers, readSecrets, readToken } from './activation-members.ts';

/** What the gateway holds for others: proofs of those who deliver, keys of those it delivers to. */
export type ActivationSettings = {
  readonly sources: ReadonlyMap<string, DeliverySource>;
  /** Telephony partners that deliver call records, by name. */
  readonly partners: ReadonlyMap<string, DeliverySource>;
  /** Headers that each request to an upstream gets, whatever its caller sent under their names. */
  readonly destinations: ReadonlyMap<string, Readonly<Record<string, string>>>;
};

const LIMITS = { bytesMax: 1_048_576, depthMax: 6, valuesMax: 20_000 };
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const SOURCE_MEMBERS = ['name', 'kind', 'tenant', 'actor', 'secrets', 'token', 'records', 'ids'];

/** Rejects with CLY_ACTIVATION_INVALID for a file that is absent, readable by others, or malformed; it names the place. */
export async function readActivationFile(path: string): Promise<ActivationSettings> {
  const advice = 'set CLYRA_ACTIVATION_FILE';
  const bytes = await readOwnerFile(path, { advice, invalid: (what, cause) => invalid(`${path} ${what}`, cause) });
  return parseActivation(bytes);
}

export function parseActivation(bytes: Uint8Array): ActivationSettings {
  const document = parse(bytes);
  try {
    onlyMembers(document, ['sources', 'partners', 'destinations'], 'the file');
    const sources = entries(document, 'sources').map(readSource);
    const partners = entries(document, 'partners').map(readPartner);
    const destinations = entries(document, 'destinations').map(readDestination);
    const named = byName([...sources, ...partners].map((one) => [one.name, one]));
    const of = (list: readonly DeliverySource[]): ReadonlyMap<string, DeliverySource> =>
      new Map([...named].filter(([, one]) => list.includes(one)));
    return { sources: of(sources), partners: of(partners), destinations: byName(destinations) };
  } catch (error) {
    if (error instanceof TypeError) throw invalid(error.message);
    throw error;
  }
}

function readSource(value: JsonObject, index: number): DeliverySource {
  const place = `sources[${index}]`;
  onlyMembers(value, SOURCE_MEMBERS, place);
  const { name, kind, tenant, actor } = value;
  if (typeof name !== 'string' || !NAME.test(name)) throw new TypeError(`${place}.name is no name (a-z, 0-9 and -)`);
  if (!ADAPTERS.includes(kind as AdapterKind)) throw new TypeError(`${place}.kind is none of ${ADAPTERS.join(', ')}`);
  if (typeof tenant !== 'string' || !TENANT.test(tenant)) throw new TypeError(`${place}.tenant is no tenant name`);
  if (typeof actor !== 'string' || !ID.test(actor)) throw new TypeError(`${place}.actor is no id`);
  const ids =
    value['ids'] === undefined ? standardIds(kind as AdapterKind) : readPointers(value['ids'], `${place}.ids`);
  if (ids === undefined) throw new TypeError(`${place}.ids is missing: name what tells one change from the next`);
  const source: DeliverySource = {
    name,
    kind: kind as AdapterKind,
    tenant,
    actor,
    secrets: readSecrets(value['secrets'], { place, isEncoded: kind === 'generic' }),
    token: readToken(value['token'], place),
    records: readPointers([value['records'] ?? ''], `${place}.records`)[0] as string,
    ids,
  };
  const fault = proofFault(source);
  if (fault !== undefined) throw new TypeError(`${place} ${fault}`);
  return source;
}

/** A partner signs as Standard Webhooks do; its records say themselves what they are about. */
function readPartner(value: JsonObject, index: number): DeliverySource {
  const place = `partners[${index}]`;
  onlyMembers(value, ['name', 'tenant', 'secrets'], place);
  const { name, tenant } = value;
  if (typeof name !== 'string' || !NAME.test(name)) throw new TypeError(`${place}.name is no name (a-z, 0-9 and -)`);
  if (typeof tenant !== 'string' || !TENANT.test(tenant)) throw new TypeError(`${place}.tenant is no tenant name`);
  const secrets = readSecrets(value['secrets'], { place, isEncoded: true });
  if (secrets.length === 0) throw new TypeError(`${place} needs secrets`);
  return { name, kind: 'generic', tenant, actor: name, secrets, token: null, records: '', ids: [] };
}

function readDestination(value: JsonObject, index: number): readonly [string, Readonly<Record<string, string>>] {
  const place = `destinations[${index}]`;
  onlyMembers(value, ['upstream', 'headers'], place);
  const { upstream } = value;
  if (typeof upstream !== 'string' || !NAME.test(upstream))
    throw new TypeError(`${place}.upstream is no upstream’s name`);
  return [upstream, readHeaders(value['headers'], place)];
}

function byName<Value>(named: readonly (readonly [string, Value])[]): ReadonlyMap<string, Value> {
  const names = named.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`${twice} stands twice`);
  return new Map(named);
}

function entries(document: JsonObject, member: string): readonly JsonObject[] {
  const list = document[member] ?? [];
  if (!Array.isArray(list)) throw new TypeError(`${member} is no list`);
  return (list as readonly JsonValue[]).map((entry, index) => {
    if (!isJsonObject(entry)) throw new TypeError(`${member}[${index}] is no object`);
    return entry;
  });
}

function parse(bytes: Uint8Array): JsonObject {
  try {
    const document = parseJson(bytes, LIMITS);
    if (isJsonObject(document)) return document;
  } catch (error) {
    if (error instanceof JsonError) throw invalid(`it is no acceptable JSON (${error.code}, ${error.message})`);
    throw error;
  }
  throw invalid('write {"sources": [...], "destinations": [...]}');
}

function invalid(what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_ACTIVATION_INVALID', `correct the activation file: ${what}`, { retry: 'never', cause });
}
