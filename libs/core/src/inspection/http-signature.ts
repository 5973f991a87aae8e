// SPDX-License-Identifier: Apache-2.0
import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';

export const HTTP_SIGNATURE_ALGORITHMS = ['hmac-sha256', 'ed25519', 'ecdsa-p256-sha256', 'rsa-pss-sha512'] as const;
export type HttpSignatureAlgorithm = (typeof HTTP_SIGNATURE_ALGORITHMS)[number];

/** One signature as its two headers name it (RFC 9421 §4). */
export type SignatureInput = {
  readonly components: readonly string[];
  /** `@signature-params` as it stands in the header, which is the only form that is accepted. */
  readonly parameters: string;
  readonly created: number | undefined;
  readonly expires: number | undefined;
  readonly nonce: string | undefined;
  readonly keyId: string | undefined;
  readonly algorithm: string | undefined;
  readonly tag: string | undefined;
  readonly signature: Uint8Array;
};

/** What a signature may cover: the request line and fields by their names in lower case. */
export type SignedMessage = {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** Host as sent. */
  readonly authority: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Every value of a field, in order. */
  readonly field: (name: string) => readonly string[];
};

const LABEL = '[a-z*][a-z0-9_.*-]{0,63}';
const NAME = '"(?:@[a-z-]{1,32}|[a-z0-9!#$%&\'*+.^_`|~-]{1,64})"';
const PARAMETER = ';[a-z][a-z_]{0,15}=(?:-?[0-9]{1,15}|"[\\u0020\\u0021\\u0023-\\u005b\\u005d-\\u007e]{0,256}")';
const INPUT = new RegExp(`^(${LABEL})=(\\((${NAME}(?: ${NAME})*|)\\)((?:${PARAMETER})*))$`);
const SIGNATURE = new RegExp(`^(${LABEL})=:([A-Za-z0-9+/]{1,1024}={0,2}):$`);
const COMPONENTS_MAX = 32;
const NUMBERS = new Set(['created', 'expires']);
const TEXTS = new Set(['nonce', 'keyid', 'alg', 'tag']);

/**
 * Reads `Signature-Input` and `Signature` with exactly one signature in RFC 8941's canonical spelling; undefined for
 * anything else. Parameters of components (`;sf`, `;bs`, `;key`, `;req`, `;tr`, `;name`) are not understood, so they are
 * refused rather than ignored, like parameters of the signature that nobody defined, and whatever stands twice.
 */
export function parseSignatureInput(input: string, signature: string): SignatureInput | undefined {
  const [, label, parameters, list, tail] = INPUT.exec(input.trim()) ?? [];
  const [, sameLabel, encoded] = SIGNATURE.exec(signature.trim()) ?? [];
  if (parameters === undefined || encoded === undefined || label !== sameLabel) return undefined;
  const components = (list ?? '') === '' ? [] : (list as string).split(' ').map((name) => name.slice(1, -1));
  if (components.length > COMPONENTS_MAX || new Set(components).size !== components.length) return undefined;
  const values = parametersOf(tail ?? '');
  const bytes = Buffer.from(encoded, 'base64');
  if (values === undefined || bytes.toString('base64') !== encoded) return undefined;
  const number = (name: string): number | undefined => (values.has(name) ? Number(values.get(name)) : undefined);
  return {
    components,
    parameters,
    created: number('created'),
    expires: number('expires'),
    nonce: values.get('nonce'),
    keyId: values.get('keyid'),
    algorithm: values.get('alg'),
    tag: values.get('tag'),
    signature: bytes,
  };
}

function parametersOf(text: string): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  for (const [part] of text.matchAll(new RegExp(PARAMETER, 'g'))) {
    const [name = '', ...rest] = part.slice(1).split('=');
    const value = rest.join('=');
    const isText = value.startsWith('"');
    if (values.has(name) || !(isText ? TEXTS : NUMBERS).has(name)) return undefined;
    values.set(name, isText ? value.slice(1, -1) : value);
  }
  return values;
}

/** RFC 9421 §2.5; undefined where a component is not in the message, or not one that is understood. */
export function signatureBase(
  message: SignedMessage,
  input: Pick<SignatureInput, 'components' | 'parameters'>,
): string | undefined {
  const lines: string[] = [];
  for (const name of input.components) {
    const value = name.startsWith('@') ? derived(message, name) : fieldValue(message.field(name));
    if (value === undefined) return undefined;
    lines.push(`"${name}": ${value}`);
  }
  return [...lines, `"@signature-params": ${input.parameters}`].join('\n');
}

function fieldValue(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.map((value) => value.replace(/^[ \t]+|[ \t]+$/g, '')).join(', ');
}

function derived({ method, scheme, authority, target }: SignedMessage, name: string): string | undefined {
  const [path = '', ...query] = target.split('?');
  const host = normalAuthority(authority, scheme);
  switch (name) {
    case '@method':
      return method;
    case '@authority':
      return host;
    case '@scheme':
      return scheme;
    case '@request-target':
      return target;
    case '@target-uri':
      return `${scheme}://${host}${target}`;
    case '@path':
      return path === '' ? '/' : path;
    case '@query':
      return `?${query.join('?')}`;
    default:
      return undefined;
  }
}

/** RFC 9421 §2.2.3: lower case, without the scheme's own port. */
function normalAuthority(authority: string, scheme: 'http' | 'https'): string {
  const port = scheme === 'http' ? ':80' : ':443';
  const lower = authority.toLowerCase();
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}

/** The algorithm comes from the key's record; what the message says about it is compared elsewhere, never believed. */
export function verifyHttpSignature(
  key: { readonly algorithm: HttpSignatureAlgorithm; readonly key: KeyObject },
  base: string,
  signature: Uint8Array,
): boolean {
  const data = Buffer.from(base, 'utf8');
  switch (key.algorithm) {
    case 'hmac-sha256': {
      const mac = createHmac('sha256', key.key).update(data).digest();
      return mac.length === signature.length && timingSafeEqual(mac, signature);
    }
    case 'ed25519':
      return verify(null, data, key.key, signature);
    case 'ecdsa-p256-sha256':
      return verify('sha256', data, { key: key.key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'rsa-pss-sha512':
      return verify(
        'sha512',
        data,
        { key: key.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 },
        signature,
      );
  }
}

/** What a request's signature must cover before it says who sent all of it. */
export function coverageFault(
  input: SignatureInput,
  request: { readonly target: string; readonly present: (name: string) => boolean },
): string | undefined {
  const covers = (name: string): boolean => input.components.includes(name);
  if (!covers('@method')) return '@method';
  const wholeTarget = covers('@target-uri') || covers('@request-target');
  const inParts = covers('@path') && (covers('@query') || !request.target.includes('?'));
  if (!wholeTarget && !inParts) return '@target-uri';
  return REQUIRED_FIELDS.find((name) => request.present(name) && !covers(name));
}

/** What a request's meaning depends on: it must be covered wherever it is there. */
const REQUIRED_FIELDS = [
  'x-tenant-id',
  'x-actor-id',
  'x-clyra-run-id',
  'idempotency-key',
  'content-digest',
  'content-type',
  'content-encoding',
];
