// SPDX-License-Identifier: Apache-2.0
import { SIGNATURE_HEADERS } from '@clyra/core/inspection/request-signature';
import { TARGET_LENGTH_MAX } from '@clyra/core/inspection/request-target';
import type { GatewayRequest } from './gateway-request.ts';

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
const SIGNED_VALUE = /^[\u0021-\u007e](?:[\u0020-\u007e]*[\u0021-\u007e])?$/;
const HEADER_COUNT_MAX = 100;

/** Headers that two readers could take differently if they came twice. */
const SINGLE = [
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'content-encoding',
  'signature',
  'signature-input',
  ...Object.values(SIGNATURE_HEADERS).filter((name) => name !== SIGNATURE_HEADERS.idempotencyKey),
];

/**
 * The code of what makes a request unfit for routing, or undefined. Each of these shapes is read differently by some
 * server behind us, which is what request smuggling lives on (RFC 9112 §11.2). Answered before any authentication.
 */
export function shapeFault(request: Omit<GatewayRequest, 'readBody' | 'streamBody' | 'client'>): string | undefined {
  const { headers, method, target } = request;
  if (!METHODS.has(method)) return 'CLY_REQUEST_METHOD';
  if (target.length > TARGET_LENGTH_MAX) return 'CLY_REQUEST_TARGET_LENGTH';
  if (!/^\/[\u0021-\u007e]*$/.test(target)) return 'CLY_REQUEST_TARGET';
  if (headers.raw.length > HEADER_COUNT_MAX * 2) return 'CLY_REQUEST_HEADER_COUNT';
  for (let index = 0; index < headers.raw.length; index += 2) {
    if (!TOKEN.test(headers.raw[index] as string)) return 'CLY_REQUEST_HEADER';
    if (!VALUE.test(headers.raw[index + 1] as string)) return 'CLY_REQUEST_HEADER';
  }
  if (headers.all('host').length !== 1) return 'CLY_REQUEST_HOST';
  for (const name of SINGLE) if (headers.all(name).length > 1) return 'CLY_REQUEST_HEADER_REPEATED';
  for (const name of Object.values(SIGNATURE_HEADERS)) {
    if (headers.all(name).some((value) => value !== '' && !SIGNED_VALUE.test(value))) return 'CLY_REQUEST_HEADER';
  }
  return framingFault(request);
}

function framingFault({ headers }: Pick<GatewayRequest, 'headers'>): string | undefined {
  const length = headers.one('content-length');
  const encoding = headers.one('transfer-encoding');
  if (length !== undefined && encoding !== undefined) return 'CLY_REQUEST_FRAMING';
  if (length !== undefined && !/^(?:0|[1-9][0-9]{0,15})$/.test(length)) return 'CLY_REQUEST_FRAMING';
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') return 'CLY_REQUEST_FRAMING';
  if (headers.has('upgrade') || headers.has('trailer')) return 'CLY_REQUEST_UPGRADE';
  // `Connection: x-tenant-id` would ask us to drop the header that was signed.
  const options = headers.all('connection').flatMap((value) => value.toLowerCase().split(','));
  const plain = options.every((option) => ['close', 'keep-alive', 'te', ''].includes(option.trim()));
  return plain ? undefined : 'CLY_REQUEST_CONNECTION';
}
