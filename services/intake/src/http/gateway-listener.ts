// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import { streamBody } from '../bodies/stream-body.ts';
import type { GatewayAnswer, GatewayRequest } from '../gateway/gateway-request.ts';
import { problemAnswer } from '../gateway/problem-answer.ts';
import { RequestHeaders } from '../gateway/request-headers.ts';
import { readBody } from './read-body.ts';
import { openServer, type TlsSettings, transportOf, wasRefused, watchHandshakes } from './tls.ts';
import { writeAnswer } from './write-answer.ts';

export type ListenerLimits = {
  readonly headerBytesMax: number;
  readonly headersMs: number;
  readonly bodyMs: number;
  readonly keepAliveMs: number;
  readonly connectionsMax: number;
  readonly requestsPerConnectionMax: number;
};

export const LISTENER_LIMITS: ListenerLimits = {
  headerBytesMax: 16_384,
  headersMs: 5_000,
  bodyMs: 10_000,
  keepAliveMs: 30_000,
  connectionsMax: 10_000,
  requestsPerConnectionMax: 100_000,
};

const REQUEST_MS_MAX = 300_000;

export type ListenerOptions = {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  /** What listens here, for the message where its port is taken. */
  readonly what?: { readonly name: string; readonly setting: string };
  readonly handle: (request: GatewayRequest) => Promise<GatewayAnswer>;
  /** What never became a request: counted at the edge. */
  readonly onRefused: (code: string) => void;
  readonly limits?: Partial<ListenerLimits>;
  /** With it the gateway speaks TLS only, and asks for a client certificate if it has an authority for them. */
  readonly tls?: TlsSettings;
};

export type GatewayListener = { readonly url: string; close(deadlineMs: number): Promise<void> };

/**
 * The listener of the gateway. It is Node's own HTTP server and no framework: a router or body parser that reads the
 * target, headers or body before the gateway does is one more reader that may read them differently.
 */
export async function startGatewayListener(options: ListenerOptions): Promise<GatewayListener> {
  const limits = { ...LISTENER_LIMITS, ...options.limits };
  const server = openServer(
    {
      ...options.tls,
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersMs,
      // Bodies have deadlines of their own, some longer: this only bounds what none of them knows.
      requestTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: 500,
      insecureHTTPParser: false,
      requireHostHeader: false,
      noDelay: true,
    },
    (message, response) => void serve(message, response, { ...options, limits }),
  );
  server.maxConnections = limits.connectionsMax;
  server.maxRequestsPerSocket = limits.requestsPerConnectionMax;
  // Node drops headers beyond a count without a word; the gateway refuses such requests instead.
  server.maxHeadersCount = 0;
  if (options.tls !== undefined) watchHandshakes(server as TlsServer, options);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
    refuseConnection(error, socket as Socket, options),
  );
  const url = await listen(server, options);
  return { url, close: (deadlineMs) => closeServer(server, options.clock, deadlineMs) };
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  { handle, clock, limits }: ListenerOptions & { readonly limits: ListenerLimits },
): Promise<void> {
  const isGone = (): boolean => response.destroyed && !response.writableFinished;
  const answer = await handle({
    method: message.method ?? '',
    target: message.url ?? '',
    headers: new RequestHeaders(message.rawHeaders),
    readBody: (bytesMax) => readBody(message, { bytesMax, deadlineMs: limits.bodyMs }, clock),
    streamBody: ({ deadlineMs, silenceMs }) =>
      streamBody(message, { deadlineMs, silenceMs: Math.min(silenceMs, limits.bodyMs) }, clock),
    transport: transportOf(message.socket),
    client: {
      isGone,
      onGone: (task) => {
        response.once('close', () => {
          if (!response.writableFinished) task();
        });
      },
    },
  });
  await writeAnswer(message, response, answer);
}

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'CLY_REQUEST_HEADER_SIZE',
  ERR_HTTP_REQUEST_TIMEOUT: 'CLY_REQUEST_TIMEOUT',
};

/** The parser refused the bytes: two lengths, a bare line feed, a folded header, a NUL and the like. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket, { onRefused }: ListenerOptions): void {
  if (error.code === 'ECONNRESET' || !socket.writable || wasRefused(socket)) return void socket.destroy();
  const code = CLIENT_ERRORS[error.code ?? ''] ?? 'CLY_REQUEST_SYNTAX';
  onRefused(code);
  const { status, headers, body } = problemAnswer({ code });
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(String(body)), connection: 'close' });
  const head = [`HTTP/1.1 ${status} Refused`, ...lines.map(([name, value]) => `${name}: ${String(value)}`)];
  socket.end(`${head.join('\r\n')}\r\n\r\n${String(body)}`);
}

const GATEWAY = { name: 'the gateway', setting: 'CLYRA_GATEWAY_PORT' };

function listen(server: Server, { host, port, what = GATEWAY }: ListenerOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `${what.name} cannot listen on ${host}:${port} (${cause.code}): stop what uses it, or set ${what.setting}`;
      reject(new ClyraError('CLY_SERVICE_PORT_TAKEN', message, { retry: 'never', context: { host, port }, cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      const taken = typeof address === 'object' && address !== null ? address.port : port;
      resolve(
        `${server instanceof TlsServer ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${taken}`,
      );
    });
  });
}

async function closeServer(server: Server, clock: Clock, deadlineMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const cancelTimer = clock.after(deadlineMs, () => server.closeAllConnections());
  await closed;
  cancelTimer();
}
