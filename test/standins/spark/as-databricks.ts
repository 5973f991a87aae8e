// SPDX-License-Identifier: Apache-2.0
import { type Message, readMessage, writeMessage } from './thrift-messages.ts';

/** HIVE_CLI_SERVICE_PROTOCOL_V10, the newest that Spark knows. The driver sends -7 and means a field of Databricks. */
const PROTOCOL_VERSION = 9;
/** COLUMN_BASED_SET. */
const IN_COLUMNS = 1;
/** Without it Spark takes a session's configuration for variables of its own and drops it. */
const CONFIGURATION_PREFIX = 'set:hiveconf:';

type OpenSession = { client_protocol: number; configuration: Readonly<Record<string, string>> | null };
type ResultSetMetadata = {
  resultFormat: number | null;
  readonly schema: { readonly columns: readonly { position: number }[] } | null;
};

/** A call of the driver as Spark's server understands it. */
export function toSpark(bytes: Buffer): Buffer {
  return rewritten(bytes, { method: 'OpenSession', kind: 'call' }, (body) => {
    const session = body as unknown as OpenSession;
    session.client_protocol = PROTOCOL_VERSION;
    session.configuration = Object.fromEntries(
      Object.entries(session.configuration ?? {}).map(([name, value]) => [`${CONFIGURATION_PREFIX}${name}`, value]),
    );
  });
}

/** A reply of Spark's server as the driver expects it of Databricks. */
export function toDriver(bytes: Buffer): Buffer {
  return rewritten(bytes, { method: 'GetResultSetMetadata', kind: 'reply' }, (body) => {
    const metadata = body as unknown as ResultSetMetadata;
    metadata.resultFormat ??= IN_COLUMNS;
    const columns = metadata.schema?.columns ?? [];
    // Counted from 0 the driver would put each value under the name of its neighbour, without a word.
    if (columns.some(({ position }) => position === 0)) for (const column of columns) column.position += 1;
  });
}

function rewritten(
  bytes: Buffer,
  { method, kind }: Pick<Message, 'method' | 'kind'>,
  change: (body: Message['body']) => void,
): Buffer {
  if (!bytes.subarray(0, NAME_END_MAX).includes(method)) return bytes;
  const message = readMessage(bytes);
  if (message?.method !== method || message.kind !== kind) return bytes;
  change(message.body);
  return writeMessage(message);
}

/** A message begins with its kind (4 bytes), the size of its method's name (4 bytes) and the name. */
const NAME_END_MAX = 64;
