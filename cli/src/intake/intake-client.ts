// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import type { CommandSignature } from '@clyra/core/change/change-body';
import { ClyraError, type ErrorCode } from '@clyra/core/kernel/error';

export type IntakeAnswer = { readonly status: number; readonly body: JsonObject };

export type CommandRequest = {
  readonly command: JsonObject;
  readonly signatures: readonly CommandSignature[];
  /** Documents that the command names by digest; intake stores them before the record. */
  readonly documents: readonly { readonly name: 'policy' | 'trust_root'; readonly content: Uint8Array }[];
};

export type SignedHeaders = (request: { method: string; target: string; body: string }) => Record<string, string>;

const ANSWER_BYTES_MAX = 2_097_152;

/** Intake's API for people and scripts. Answers with any status are returned; only silence is an error. */
export class IntakeClient {
  readonly #url: string;
  readonly #deadlineMs: number;
  readonly #headers: SignedHeaders;

  /** `headers` are added to each request: how the caller authenticates. */
  constructor(url: string, options: { deadlineMs?: number; headers?: SignedHeaders } = {}) {
    this.#url = url.replace(/\/+$/, '');
    this.#deadlineMs = options.deadlineMs ?? 15_000;
    this.#headers = options.headers ?? (() => ({}));
  }

  sendCommand({ command, signatures, documents }: CommandRequest): Promise<IntakeAnswer> {
    return this.#ask('POST', '/v1/commands', {
      command,
      signatures: signatures.map(({ key_id, sig }) => ({ key_id, sig })),
      documents: documents.map(({ name, content }) => ({ name, content: Buffer.from(content).toString('base64') })),
    });
  }

  openRun(run: JsonObject): Promise<IntakeAnswer> {
    return this.#ask('POST', '/v1/runs', run);
  }

  closeRun(runId: string): Promise<IntakeAnswer> {
    return this.#ask('POST', `/v1/runs/${encodeURIComponent(runId)}/close`);
  }

  change(eventId: string): Promise<IntakeAnswer> {
    return this.#ask('GET', `/v1/changes/${encodeURIComponent(eventId)}`);
  }

  tenant(tenant: string): Promise<IntakeAnswer> {
    return this.#ask('GET', `/v1/tenants/${encodeURIComponent(tenant)}`);
  }

  held(tenant: string): Promise<IntakeAnswer> {
    return this.#ask('GET', `/v1/tenants/${encodeURIComponent(tenant)}/approvals`);
  }

  heldChange(tenant: string, of: string): Promise<IntakeAnswer> {
    return this.#ask('GET', `/v1/tenants/${encodeURIComponent(tenant)}/approvals/${encodeURIComponent(of)}`);
  }

  emergencies(tenant: string): Promise<IntakeAnswer> {
    return this.#ask('GET', `/v1/tenants/${encodeURIComponent(tenant)}/emergencies`);
  }

  async #ask(method: 'GET' | 'POST', target: string, value?: JsonObject): Promise<IntakeAnswer> {
    const body = value === undefined ? '' : JSON.stringify(value);
    const headers = {
      accept: 'application/json',
      ...(value === undefined ? {} : { 'content-type': 'application/json' }),
      ...this.#headers({ method, target, body }),
    };
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.#url}${target}`, {
        method,
        headers,
        ...(value === undefined ? {} : { body }),
        signal: AbortSignal.timeout(this.#deadlineMs),
        redirect: 'error',
      });
      text = await response.text();
    } catch (cause) {
      throw this.#unreachable(cause);
    }
    return { status: response.status, body: this.#parse(text, response.status) };
  }

  #parse(text: string, status: number): JsonObject {
    try {
      const value = text.length > ANSWER_BYTES_MAX ? undefined : (JSON.parse(text) as JsonValue);
      if (isJsonObject(value)) return value;
    } catch {
      // Falls through: something else than intake answers there.
    }
    throw new ClyraError(
      'CLY_CLI_NOT_INTAKE',
      `${this.#url} answered ${status} without a JSON object: is it intake? Give its address with --intake`,
      { retry: 'never', context: { status } },
    );
  }

  #unreachable(cause: unknown): ClyraError {
    const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
    const what = timedOut ? `did not answer within ${this.#deadlineMs} ms` : 'cannot be reached';
    return new ClyraError(
      'CLY_CLI_INTAKE_UNREACHABLE',
      `intake at ${this.#url} ${what}: start it with \`clyra up\`, or give its address with --intake`,
      { retry: 'backoff', context: { url: this.#url }, cause },
    );
  }
}

/** The error of an answer that is no success, with intake's own code and words where it gave them. */
export function refusalOf({ status, body }: IntakeAnswer): ClyraError {
  const code = typeof body['code'] === 'string' && body['code'].startsWith('CLY_') ? body['code'] : 'CLY_CLI_REFUSED';
  const detail = [body['detail'], body['title'], body['message']].find((text) => typeof text === 'string');
  const event = typeof body['event_id'] === 'string' ? `; event ${body['event_id']}` : '';
  return new ClyraError(
    code as ErrorCode,
    `intake answered ${status}: ${String(detail ?? 'no reason given')}${event}`,
    {
      retry: status >= 500 || status === 429 ? 'backoff' : 'never',
      context: { status },
    },
  );
}
