// SPDX-License-Identifier: Apache-2.0
import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry';

type Middleware = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']>[number];
type Answer = Awaited<ReturnType<Parameters<ReturnType<Middleware>['response'] & {}>[0]>>;

const NOT_FOUND = 404;
const BAD_GATEWAY = 502;
const REGISTRY_NOT_FOUND_CODES = new Set([40401, 40402, 40403, 40408]);

/**
 * Only the registry's own words count. A 404 from a proxy, or a login page with status 200, must not be taken for
 * "there is no such schema": records would be quarantined as poison for ever.
 */
export function strictAnswers(timeoutMs: number): Middleware {
  return () => ({
    prepareRequest: async (next) => (await next()).enhance({ timeout: timeoutMs }),
    response: async (next) => {
      let answer: Answer;
      try {
        answer = await next();
      } catch (refused) {
        throw isAnswer(refused) && !isTrusted(refused) ? asBadGateway(refused) : refused;
      }
      if (!isComplete(answer)) throw asBadGateway(answer);
      return answer;
    },
  });
}

function isTrusted(answer: Answer): boolean {
  if (answer.status() !== NOT_FOUND) return true;
  const body: unknown = answer.data();
  return isJsonObject(body) && 'error_code' in body && REGISTRY_NOT_FOUND_CODES.has(Number(body.error_code));
}

function isComplete(answer: Answer): boolean {
  const body: unknown = answer.data();
  if (!isJsonObject(body)) return false;
  return !answer.request().url().includes('/schemas/ids/') || ('schema' in body && typeof body.schema === 'string');
}

function asBadGateway(answer: Answer): Answer {
  const rawData = JSON.stringify({ message: `status ${answer.status()} without a registry's answer` });
  return answer.enhance({ status: BAD_GATEWAY, rawData, headers: { 'content-type': 'application/json' } });
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && 'enhance' in value && 'status' in value;
}

function isJsonObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
