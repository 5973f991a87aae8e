// SPDX-License-Identifier: Apache-2.0
import type { RequestToSign } from '@clyra/core/inspection/request-signature';
import { type BadInputContext, signedHeaders } from '@clyra/intake/test-support/signed-headers';

/** A signed request and what is then done to it on its way. */
export type RawPlan = {
  readonly method?: string;
  readonly target?: string;
  readonly body?: string | Uint8Array;
  readonly sign?: Partial<RequestToSign>;
  /** Put in place of a signed header, or added. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly isSigned?: boolean;
  /** What follows the head, where it is not the body with its length. */
  readonly framed?: { readonly header: string; readonly bytes: string | Uint8Array };
};

export const GOOD_BODY = '{"account":"a-1","amount":5}';
const GOOD_TARGET = '/v1/refunds/r-1';

/** The bytes as they go over the wire. */
export function rawRequest(plan: RawPlan, context: BadInputContext): Uint8Array {
  const method = plan.method ?? 'POST';
  const target = plan.target ?? GOOD_TARGET;
  const body = Buffer.from(plan.body ?? GOOD_BODY);
  const signed = signedHeaders(context, { method, target, body }, plan.sign);
  const headers = {
    host: 'gateway',
    'content-type': 'application/json',
    ...(plan.isSigned === false ? {} : signed),
    ...plan.headers,
  };
  const framing = plan.framed?.header ?? `Content-Length: ${body.length}`;
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const head = `${[...lines, framing].join('\r\n')}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(plan.framed?.bytes ?? body)]);
}

/** A body of exactly this size that fits the schema: white space is part of JSON. */
export function paddedBody(size: number): string {
  return `${GOOD_BODY.slice(0, -1).padEnd(size - 1, ' ')}}`;
}
