// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKey } from '@clyra/adapter-signing/private-key';

/** What the next requests meet, in order; then all is well again. */
export type KmsFault = 'throttled' | 'internal' | 'denied' | 'silent' | 'flipped';

type Call = { readonly target: string; readonly body: Record<string, string> };
type KmsError = readonly [status: number, type: string, message: string];

const MESSAGE_BYTES_MAX = 4_096;
const REQUEST_BYTES_MAX = 65_536;
const CREDENTIAL =
  /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[a-z0-9-]+\/kms\/aws4_request, SignedHeaders=[^,]+, Signature=[0-9a-f]{64}$/;

/**
 * A stand-in for AWS KMS that speaks its JSON 1.1 protocol for GetPublicKey and Sign with one Ed25519 key. It knows the
 * rules that have cost others time: RAW only, at most 4,096 bytes, one algorithm for the key, signed requests. It does
 * not check the request's signature.
 */
export class KmsStandIn {
  readonly keyId = '11111111-2222-3333-4444-555555555555';
  readonly calls: Call[] = [];
  readonly faults: KmsFault[] = [];
  readonly #server: Server;
  #key: KeyObject = newKey();
  #spec = 'ECC_NIST_EDWARDS25519';

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<KmsStandIn> {
    const standIn = new KmsStandIn();
    await new Promise<void>((resolve) => standIn.#server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** As if somebody had pointed the alias at another key. */
  replaceKey(): void {
    this.#key = newKey();
  }

  pretendSpec(spec: string): void {
    this.#spec = spec;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const target = String(request.headers['x-amz-target']);
    const fault = this.faults.shift();
    if (fault === 'silent') return;
    const refusal = protocolError(request, raw) ?? faultError(fault);
    if (refusal !== undefined) return refuse(response, refusal);
    const body = JSON.parse(raw.toString('utf8')) as Record<string, string>;
    this.calls.push({ target, body });
    const result = this.#run(target, body, fault === 'flipped');
    if (Array.isArray(result)) return refuse(response, result as unknown as KmsError);
    reply(response, 200, result as Record<string, unknown>);
  }

  #run(target: string, body: Record<string, string>, flipped: boolean): Record<string, unknown> | KmsError {
    if (body['KeyId'] !== this.keyId) return [400, 'NotFoundException', `Key '${body['KeyId']}' does not exist`];
    const arn = `arn:aws:kms:eu-central-1:111122223333:key/${this.keyId}`;
    if (target === 'TrentService.GetPublicKey') {
      const spki = createPublicKey(this.#key).export({ format: 'der', type: 'spki' }).toString('base64');
      return {
        KeyId: arn,
        KeySpec: this.#spec,
        CustomerMasterKeySpec: this.#spec,
        KeyUsage: 'SIGN_VERIFY',
        PublicKey: spki,
        SigningAlgorithms: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'],
      };
    }
    if (target !== 'TrentService.Sign') return [400, 'UnknownOperationException', target];
    if (body['SigningAlgorithm'] !== 'ED25519_SHA_512' || body['MessageType'] !== 'RAW') {
      return [400, 'ValidationException', 'ED25519_SHA_512 signing algorithm requires KMS MessageType:RAW'];
    }
    const message = Buffer.from(String(body['Message']), 'base64');
    if (message.length < 1 || message.length > MESSAGE_BYTES_MAX) {
      return [
        400,
        'ValidationException',
        `Value at 'message' must have length less than or equal to ${MESSAGE_BYTES_MAX}`,
      ];
    }
    const signature = sign(null, message, this.#key);
    if (flipped) signature[0] = (signature[0] as number) ^ 1;
    return { KeyId: arn, Signature: signature.toString('base64'), SigningAlgorithm: 'ED25519_SHA_512' };
  }
}

function protocolError(request: IncomingMessage, raw: Buffer): KmsError | undefined {
  if (request.method !== 'POST' || request.headers['content-type'] !== 'application/x-amz-json-1.1') {
    return [400, 'SerializationException', 'not JSON 1.1'];
  }
  if (!CREDENTIAL.test(request.headers.authorization ?? '')) {
    return [400, 'MissingAuthenticationTokenException', 'Missing Authentication Token'];
  }
  return raw.length > REQUEST_BYTES_MAX ? [413, 'RequestEntityTooLargeException', 'too large'] : undefined;
}

function faultError(fault: KmsFault | undefined): KmsError | undefined {
  if (fault === 'throttled') return [400, 'ThrottlingException', 'Rate exceeded'];
  if (fault === 'internal') return [500, 'KMSInternalException', 'internal'];
  if (fault === 'denied') return [400, 'AccessDeniedException', 'not authorized to perform: kms:Sign'];
  return undefined;
}

function refuse(response: ServerResponse, [status, type, message]: KmsError): void {
  reply(response, status, { __type: type, message });
}

function reply(response: ServerResponse, status: number, body: Record<string, unknown>): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'stand-in' });
  response.end(JSON.stringify(body));
}

function newKey(): KeyObject {
  return createPrivateKey(generateKey().privateKeyPem);
}
