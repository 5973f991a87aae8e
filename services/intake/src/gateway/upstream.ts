// SPDX-License-Identifier: Apache-2.0
/** The services behind the gateway, by the name that the policy uses. */
export interface Upstream {
  has(name: string): boolean;
  /** Never rejects: what came of the request is the outcome that will be recorded. */
  forward(name: string, request: UpstreamRequest): Promise<UpstreamResult>;
}

export type UpstreamRequest = {
  readonly method: string;
  readonly target: string;
  /** name, value, name, value, …; hop-by-hop and framing headers are left out. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | SizedBody;
  /** How long an answer may take in all and between two pieces, where the route says so. */
  readonly answer?: { readonly totalMs: number; readonly silenceMs: number };
};

/** A body that is read while it is sent; it has exactly this size. */
export type SizedBody = { readonly size: number; readonly chunks: () => AsyncIterable<Uint8Array> };

export type UpstreamResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[]>>;
      readonly body: Uint8Array | AsyncIterable<Uint8Array>;
    }
  /** Surely not sent: no connection could be made. */
  | { readonly kind: 'not_sent'; readonly detail: string }
  /** It may have been sent, in part or whole; nobody knows what came of it. */
  | { readonly kind: 'failed'; readonly detail: string; readonly timedOut: boolean };
