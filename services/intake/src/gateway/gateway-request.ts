// SPDX-License-Identifier: Apache-2.0
import type { ReceivedBody } from '@clyra/core/inspection/check-body';
import type { IntentSeal } from '@clyra/core/inspection/request-signature';
import type { StreamLimits } from '../bodies/stream-body.ts';
import type { RequestHeaders } from './request-headers.ts';

/** One HTTP request as the gateway sees it; the HTTP server, a test or a simulation stands behind it. */
export type GatewayRequest = {
  readonly method: string;
  /** The request target exactly as sent. */
  readonly target: string;
  readonly headers: RequestHeaders;
  /**
   * Reads the body; larger ones than `bytesMax` are discarded with bounded reading. Rejects with CLY_BODY_TIMEOUT or
   * CLY_BODY_ABORTED when the client does not send it to its end.
   */
  readBody(bytesMax: number): Promise<ReceivedBody>;
  /**
   * The body as it comes, for those that are never whole in memory. Rejects like `readBody`; no more is read than is
   * asked for.
   */
  streamBody(limits: StreamLimits): AsyncIterable<Uint8Array>;
  readonly client: ClientPresence;
  /** Of a request that came as a record of clyra.intents. */
  readonly intent?: RequestIntent;
  /** Absent where it is not known: then it is plain HTTP and nobody showed a certificate. */
  readonly transport?: Transport;
};

export type RequestIntent = {
  readonly seal: IntentSeal;
  /** Of the first inspection and of the second, under a new policy. */
  readonly eventIds: readonly [string, string];
  /** How long its receipt is waited for: nobody holds a connection open. */
  readonly holdMs: number;
};

export type Transport = {
  readonly isTls: boolean;
  /** SHA-256 of the public key (SPKI) in the certificate that the client has proved to hold. */
  readonly clientKeyDigest?: string;
};

export interface ClientPresence {
  isGone(): boolean;
  /** Runs `task` once when the client closes the connection before it has its answer. */
  onGone(task: () => void): void;
}

/** Names in the case they are sent in. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[]>>;

export type AnswerBody = Uint8Array | string | AsyncIterable<Uint8Array>;

export type GatewayAnswer = {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: AnswerBody;
  /** Present where the answer is ours and no upstream's; `outcome` is that of the request that was repeated. */
  readonly problem?: { readonly code: string; readonly outcome?: string | undefined };
};
