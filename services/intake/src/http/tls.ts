// SPDX-License-Identifier: Apache-2.0

import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Transport } from '../gateway/gateway-request.ts';

/** PEM texts. */
export type TlsSettings = {
  readonly cert: string;
  readonly key: string;
  /** Authorities for client certificates. With them each client must show one. */
  readonly ca?: string;
  readonly crl?: string;
};

export type TlsFiles = {
  readonly gatewayTlsCertFile?: string | undefined;
  readonly gatewayTlsKeyFile?: string | undefined;
  readonly gatewayClientCaFile?: string | undefined;
  readonly gatewayClientCrlFile?: string | undefined;
};

/** The settings of the files; none without a certificate. Rejects with CLY_TLS_SETTING that names the file at fault. */
export async function readTls(files: TlsFiles): Promise<{ readonly tls?: TlsSettings }> {
  const { gatewayTlsCertFile: certFile, gatewayTlsKeyFile: keyFile, gatewayClientCaFile: caFile } = files;
  if (certFile === undefined && keyFile === undefined && caFile === undefined) return {};
  if (certFile === undefined || keyFile === undefined) {
    throw tlsError('set CLYRA_GATEWAY_TLS_CERT_FILE and CLYRA_GATEWAY_TLS_KEY_FILE, both of them');
  }
  const tls: TlsSettings = {
    cert: await readPem(certFile),
    key: await readPem(keyFile),
    ...(caFile === undefined ? {} : { ca: await readPem(caFile) }),
    ...(files.gatewayClientCrlFile === undefined ? {} : { crl: await readPem(files.gatewayClientCrlFile) }),
  };
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw tlsError('the certificate, key, authorities or revocation list of the gateway do not fit together', cause);
  }
  return { tls };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw tlsError(`${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}

export function openServer(options: ServerOptions & Partial<TlsSettings>, listener: RequestListener): Server {
  if (options.cert === undefined) return createServer(options, listener);
  const asksForClients = options.ca !== undefined;
  // A client without a good certificate is refused below, where it can be counted; the library would say nothing.
  return createTlsServer(
    { ...options, minVersion: 'TLSv1.2', requestCert: asksForClients, rejectUnauthorized: false },
    listener,
  ) as unknown as Server;
}

const refused = new WeakSet<Socket>();

export function wasRefused(socket: Socket): boolean {
  return refused.has(socket);
}

/** Ends connections whose handshake fails, or whose client shows no certificate of ours, before a byte of HTTP is read. */
export function watchHandshakes(
  server: TlsServer,
  { tls, onRefused }: { readonly tls?: TlsSettings; readonly onRefused: (code: string) => void },
): void {
  const refuse = (socket: Socket, code: string): void => {
    refused.add(socket);
    onRefused(code);
    socket.destroy();
  };
  server.prependListener('tlsClientError', (_error, socket) => refuse(socket, 'CLY_TLS_HANDSHAKE'));
  server.prependListener('secureConnection', (socket) => {
    // Expired, revoked, of another authority, not made for clients, or none at all.
    if (tls?.ca !== undefined && !socket.authorized) refuse(socket, 'CLY_TLS_CLIENT_CERTIFICATE');
  });
}

const transports = new WeakMap<Socket, Transport>();
const PLAIN: Transport = { isTls: false };

/** Once for each connection: a certificate does not change while it lasts (TLS 1.3, and no renegotiation before it). */
export function transportOf(socket: Socket): Transport {
  if (!(socket instanceof TLSSocket)) return PLAIN;
  const known = transports.get(socket);
  if (known !== undefined) return known;
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  const spki = certificate?.publicKey.export({ type: 'spki', format: 'der' });
  const transport: Transport = spki === undefined ? { isTls: true } : { isTls: true, clientKeyDigest: digestOf(spki) };
  transports.set(socket, transport);
  return transport;
}

function tlsError(message: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_TLS_SETTING', message, { retry: 'never', cause });
}
